/** The consortium's public entries: members, custodians, and what each class demands. Source: requirements B4, C4. */
import {
  CATEGORIES,
  decodeGenesis,
  getAdmittedCustodians,
  getClassRule,
  getCustodian,
  getMember,
  LEVELS,
} from "@xinglin/contracts";
import { toBase64url } from "@xinglin/primitives";
import type { ApiContext } from "../context.ts";
import type { Routes } from "../route.ts";
import { answers, classMatrix, custodians as custodiansShape, json, members as membersShape } from "./schemas.ts";

export function addRegistryRoutes(routes: Routes, { ledger, state, options }: ApiContext): void {
  const { members, custodians } = decodeGenesis(ledger.genesis);

  routes.add({
    method: "GET",
    url: "/v1/members",
    session: false,
    schema: { summary: "Members of the consortium", tags: ["consortium"], response: answers({ 200: json("All", membersShape) }) },
    handler: () =>
      members.flatMap(({ id }) => {
        const member = getMember(state, id);
        return member === undefined
          ? []
          : [{ id, kind: member.kind, name: member.name, status: member.status, hpke: toBase64url(member.hpke) }];
      }),
  });

  routes.add({
    method: "GET",
    url: "/v1/custodians",
    session: false,
    schema: {
      summary: "Custodians of key shares",
      tags: ["consortium"],
      response: answers({ 200: json("All", custodiansShape) }),
    },
    handler: () =>
      [...custodians.map(({ id }) => id), ...getAdmittedCustodians(state)].flatMap((id) => {
        const custodian = getCustodian(state, id);
        if (custodian === undefined) return [];
        const { member, status, hpke } = custodian;
        return [{ id, member, status, hpke: toBase64url(hpke), served: options.custodians?.get(id) !== undefined }];
      }),
  });

  routes.add({
    method: "GET",
    url: "/v1/class-matrix",
    session: false,
    schema: {
      summary: "What each class of records demands before it may be read",
      tags: ["consortium"],
      response: answers({ 200: json("All cells", classMatrix) }),
    },
    handler: () =>
      CATEGORIES.flatMap((category) =>
        LEVELS.flatMap((level) => {
          const rule = getClassRule(state, { category, level });
          return rule === undefined ? [] : [{ category, level, basis: rule.basis }];
        }),
      ),
  });
}
