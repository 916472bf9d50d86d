/** The fields that granting and narrowing have in common. Source: requirement C1. */
import type { Role } from "@xinglin/contracts";
import { useText } from "../shell/context.tsx";
import { word } from "../text/names.ts";
import { Checks } from "./checks.tsx";
import type { GrantChoice } from "./choices.ts";

type Covered = Pick<GrantChoice, "purposes" | "categories" | "levels">;

/** What a consent covers: of what is offered, what is chosen. */
export function CoveredFields(props: {
  readonly offered: Covered;
  readonly chosen: Covered;
  readonly onChange: (part: Partial<Covered>) => void;
}) {
  const { offered, chosen, onChange } = props;
  const text = useText();
  return (
    <>
      <Checks
        legend={text("grant.purposes")}
        vocabulary="purpose"
        all={offered.purposes}
        chosen={chosen.purposes}
        onChange={(purposes) => onChange({ purposes })}
      />
      <Checks
        legend={text("grant.categories")}
        vocabulary="category"
        all={offered.categories}
        chosen={chosen.categories}
        onChange={(categories) => onChange({ categories })}
      />
      <Checks
        legend={text("grant.levels")}
        vocabulary="level"
        all={offered.levels}
        chosen={chosen.levels}
        onChange={(levels) => onChange({ levels })}
      />
    </>
  );
}

/** In which role somebody reads; undefined is any. */
export function RoleField(props: {
  readonly roles: readonly Role[];
  readonly chosen: Role | undefined;
  readonly onChange: (role: Role | undefined) => void;
}) {
  const { roles, chosen, onChange } = props;
  const text = useText();
  return (
    <label className="field">
      <span>{text("grant.role")}</span>
      <select
        name="role"
        value={chosen ?? ""}
        onChange={({ target }) => onChange(target.value === "" ? undefined : (target.value as Role))}
      >
        <option value="">{text("grant.any_role")}</option>
        {roles.map((role) => (
          <option key={role} value={role}>
            {word(text, "role", role)}
          </option>
        ))}
      </select>
    </label>
  );
}
