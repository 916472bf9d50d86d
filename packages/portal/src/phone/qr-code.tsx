/** A QR code as one SVG path, drawn here: the link in it is shown to nobody else. Source: ISO/IEC 18004. */
import { useMemo } from "react";
import { encode } from "uqr";

/** Light margin that scanners need, in modules. */
const QUIET_MODULES = 4;

export function QrCode({ content, label }: { content: string; label: string }) {
  const { size, path } = useMemo(() => draw(content), [content]);
  const all = size + 2 * QUIET_MODULES;
  return (
    <svg className="qr" viewBox={`${-QUIET_MODULES} ${-QUIET_MODULES} ${all} ${all}`} role="img" aria-label={label}>
      <title>{label}</title>
      <rect className="qr-light" x={-QUIET_MODULES} y={-QUIET_MODULES} width={all} height={all} />
      <path className="qr-dark" d={path} />
    </svg>
  );
}

function draw(content: string): { size: number; path: string } {
  const { data, size } = encode(content, { ecc: "L", border: 0 });
  const path = data.flatMap((row, y) => row.flatMap((isDark, x) => (isDark ? [`M${x} ${y}h1v1h-1z`] : []))).join("");
  return { size, path };
}
