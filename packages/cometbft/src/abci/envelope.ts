/**
 * From a frame to ABCI's request and from a response to bytes. Before a request is decoded, its outermost form is looked at: exactly one
 * of the known kinds, as long as the frame, and no more elements in it than a block can have transactions. Decoding makes an object of
 * every element, even of one that is two bytes long, so that without this bound a frame could take a hundred times its size.
 * Source: CometBFT v0.40, proto `tendermint.abci.Request`, `Response`.
 */
import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { type Bytes, Fault } from "@xinglin/primitives";
import { type Request, RequestSchema, type Response, ResponseSchema } from "../proto/tendermint/abci/types_pb.js";
import { malformed } from "./frames.ts";

/** Fields at the top of one request: transactions of a block above all. Blocks of 64 MiB of the smallest transactions have fewer. */
export const MAX_ELEMENTS = 1 << 19;

/** What a request asks, by kind. */
export type Asked = Exclude<Request["value"], { case: undefined }>;
/** The kinds of request. */
export type Kind = Asked["case"];
/** What an answer holds, by kind. */
export type Answered = Exclude<Response["value"], { case: undefined }>;

const KINDS: ReadonlyMap<number, Kind> = new Map(RequestSchema.fields.map((field) => [field.number, field.localName as Kind]));
const WITHOUT_UNKNOWN = { readUnknownFields: false };

/** A request, or the kind of one with more than `MAX_ELEMENTS` elements. Throws `Fault("malformed")`. */
export function decodeRequest(frame: Bytes): Asked | { readonly tooMany: Kind } {
  try {
    const reader = new BinaryReader(frame);
    const [field, wire] = reader.tag();
    const kind = KINDS.get(field);
    if (kind === undefined || wire !== WireType.LengthDelimited) throw malformed("request_kind");
    const length = reader.uint32();
    if (reader.pos + length !== frame.length) throw malformed("request_length");
    for (let elements = 0; reader.pos < reader.len; elements++) {
      if (elements === MAX_ELEMENTS) return { tooMany: kind };
      const [number, type] = reader.tag();
      skip(reader, type, number);
    }
    // The kind was found above, so one of the cases is set.
    return fromBinary(RequestSchema, frame, WITHOUT_UNKNOWN).value as Asked;
  } catch (error) {
    // What the library throws names no code; whatever it is, the bytes are not a request.
    throw error instanceof Fault ? error : malformed("request_protobuf");
  }
}

/** Passes over a field without making anything of it, which is what most time would go into. */
function skip(reader: BinaryReader, type: WireType, number: number): void {
  if (type !== WireType.LengthDelimited) {
    reader.skip(type, number);
    return;
  }
  const length = reader.uint32();
  reader.pos += length;
  if (reader.pos > reader.len) throw malformed("request_length");
}

/** The bytes of an answer, without the length that goes before it. */
export const encodeResponse = (value: Answered): Bytes =>
  toBinary(ResponseSchema, { $typeName: "tendermint.abci.Response", value });
