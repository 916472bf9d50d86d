/**
 * The consortium that `npm start` opens: six institutions, what each brings, and who works there. Invented institutions, no real ones.
 * Source: docs/guides/share-a-study.md; requirement J1 in small.
 */
import type { Member } from "@xinglin/contracts";
import type { MemberId } from "@xinglin/primitives";

export interface CastMember {
  readonly id: MemberId;
  readonly kind: Member["kind"];
  readonly name: { readonly zh: string; readonly en: string };
  /** Store folders that it brings to the archive. */
  readonly stores: number;
}

const member = (id: string, kind: Member["kind"], zh: string, en: string, stores: number): CastMember => ({
  id: id as MemberId,
  kind,
  name: { zh, en },
  stores,
});

/** 3+3+3+2+2+1 = 14 store folders, one a column of the 10+4 code. */
export const CAST: readonly CastMember[] = [
  member("commission", "commission", "杏林市卫生健康委员会", "Xinglin Health Commission", 2),
  member("hospital-a", "hospital", "杏林市第一医院", "Xinglin First Hospital", 3),
  member("hospital-b", "hospital", "杏林市第二医院", "Xinglin Second Hospital", 3),
  member("hospital-c", "hospital", "杏林市中医院", "Xinglin Hospital of Chinese Medicine", 3),
  member("clinic-d", "clinic", "银杏社区卫生服务中心", "Ginkgo Community Clinic", 2),
  member("institute-e", "research", "杏林医学研究院", "Xinglin Research Institute", 1),
];

/** How many of the six custodians restore a content key. */
export const CUSTODY_THRESHOLD = 4;

/** Staff and devices that the story needs: name of the key file, member, role (none for a device) and department code. */
export const STAFF = [
  { alias: "hospital-a/registrar", member: "hospital-a", role: "registrar", department: "REG" },
  { alias: "hospital-a/radiographer", member: "hospital-a", role: "technician", department: "RAD" },
  { alias: "hospital-a/nurse", member: "hospital-a", role: "nurse", department: "WARD-7" },
  { alias: "hospital-b/registrar", member: "hospital-b", role: "registrar", department: "REG" },
  { alias: "hospital-b/doctor", member: "hospital-b", role: "doctor", department: "NEURO" },
  { alias: "hospital-c/doctor", member: "hospital-c", role: "doctor", department: "INT" },
] as const;

export const DEVICES = [{ alias: "hospital-a/workstation-7", member: "hospital-a" }] as const;
