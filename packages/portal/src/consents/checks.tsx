/** A group of check boxes over codes of one vocabulary. */
import { useText } from "../shell/context.tsx";
import { type Vocabulary, word } from "../text/names.ts";
import { toggled } from "./choices.ts";

interface Props<Code extends string> {
  readonly legend: string;
  readonly vocabulary: Vocabulary;
  readonly all: readonly Code[];
  readonly chosen: readonly Code[];
  readonly onChange: (chosen: Code[]) => void;
}

export function Checks<Code extends string>({ legend, vocabulary, all, chosen, onChange }: Props<Code>) {
  const text = useText();
  return (
    <fieldset>
      <legend>{legend}</legend>
      <div className="checks">
        {all.map((code) => (
          <label key={code} className="check">
            <input
              type="checkbox"
              value={code}
              checked={chosen.includes(code)}
              onChange={() => onChange(toggled(all, chosen, code))}
            />
            <span>{word(text, vocabulary, code)}</span>
          </label>
        ))}
      </div>
    </fieldset>
  );
}
