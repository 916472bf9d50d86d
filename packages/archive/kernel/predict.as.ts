// The hot loops of the lossless filter, in AssemblyScript: each sample is replaced by its difference from what its neighbours foretell.
// The predictor is the median of left, above and left + above - corner, as in JPEG-LS (ITU-T T.87, A.3). The samples are one line of
// rows, so the left neighbour of a row's first sample is the last one of the row before: that costs nothing in size and spares a case.
// Differences are folded (0, -1, 1, -2 … become 0, 1, 2, 3 …); those of two bytes are written as all high bytes, then all low bytes.
//
// at       address of the first sample; the samples of a row and a step before it are readable, and are zeros or the image's own
// count    samples
// row      samples of a row, all channels counted
// step     samples from a sample to its left neighbour: the channels of a pixel
// flip     what makes the sign bit of unsigned samples comparable: 0x8000 (or 0x80) for unsigned, 0 for signed
// out      address of the differences, `count` bytes for each byte of a sample

export function encode16(at: usize, count: i32, row: i32, step: i32, flip: i32, out: usize): void {
  const left = (<usize>step) << 1;
  const above = (<usize>row) << 1;
  const corner = left + above;
  const high = out;
  const low = out + <usize>count;
  const flips = i16x8.splat(<i16>flip);
  const byte = i16x8.splat(0xff);
  const whole = <usize>(count & ~15);
  let i: usize = 0;
  for (; i < whole; i += 16) {
    const p = at + (i << 1);
    const d0 = fold16(residual16(p, left, above, corner, flips));
    const d1 = fold16(residual16(p + 16, left, above, corner, flips));
    v128.store(low + i, i8x16.narrow_i16x8_u(v128.and(d0, byte), v128.and(d1, byte)));
    v128.store(high + i, i8x16.narrow_i16x8_u(i16x8.shr_u(d0, 8), i16x8.shr_u(d1, 8)));
  }
  for (; i < <usize>count; i++) {
    const p = at + (i << 1);
    const foretold = median(signed16(p - left, flip), signed16(p - above, flip), signed16(p - corner, flip)) ^ flip;
    const d = <i32>(<i16>(<i32>load<u16>(p) - foretold));
    const folded = (d << 1) ^ (d >> 31);
    store<u8>(low + i, <u8>folded);
    store<u8>(high + i, <u8>(folded >> 8));
  }
}

export function decode16(at: usize, count: i32, row: i32, step: i32, flip: i32, out: usize): void {
  const left = (<usize>step) << 1;
  const above = (<usize>row) << 1;
  const corner = left + above;
  const low = out + <usize>count;
  // With one channel the left neighbour is the sample just made: kept in a register it need not travel through memory.
  let a = signed16(at - left, flip);
  let c = signed16(at - corner, flip);
  for (let i: usize = 0; i < <usize>count; i++) {
    const p = at + (i << 1);
    if (step !== 1) {
      a = signed16(p - left, flip);
      c = signed16(p - corner, flip);
    }
    const b = signed16(p - above, flip);
    const folded = <u32>load<u8>(low + i) | ((<u32>load<u8>(out + i)) << 8);
    const sample = <u16>((median(a, b, c) ^ flip) + ((folded >> 1) ^ (0 - (folded & 1))));
    store<u16>(p, sample);
    a = <i32>(<i16>(sample ^ <u16>flip));
    c = b;
  }
}

export function encode8(at: usize, count: i32, row: i32, step: i32, flip: i32, out: usize): void {
  const left = <usize>step;
  const above = <usize>row;
  const corner = left + above;
  const flips = i8x16.splat(<i8>flip);
  const whole = <usize>(count & ~15);
  let i: usize = 0;
  for (; i < whole; i += 16) {
    const p = at + i;
    const a = v128.xor(v128.load(p - left), flips);
    const b = v128.xor(v128.load(p - above), flips);
    const c = v128.xor(v128.load(p - corner), flips);
    const most = i8x16.max_s(a, b);
    const least = i8x16.min_s(a, b);
    let foretold = i8x16.sub(i8x16.add(a, b), c); // wraps only where one of the next two lines takes another
    foretold = v128.bitselect(least, foretold, i8x16.ge_s(c, most));
    foretold = v128.bitselect(most, foretold, i8x16.le_s(c, least));
    const d = i8x16.sub(v128.load(p), v128.xor(foretold, flips));
    v128.store(out + i, v128.xor(i8x16.shl(d, 1), i8x16.shr_s(d, 7)));
  }
  for (; i < <usize>count; i++) {
    const p = at + i;
    const foretold = median(signed8(p - left, flip), signed8(p - above, flip), signed8(p - corner, flip)) ^ flip;
    const d = <i32>(<i8>(<i32>load<u8>(p) - foretold));
    store<u8>(out + i, <u8>((d << 1) ^ (d >> 31)));
  }
}

export function decode8(at: usize, count: i32, row: i32, step: i32, flip: i32, out: usize): void {
  const left = <usize>step;
  const above = <usize>row;
  const corner = left + above;
  for (let i: usize = 0; i < <usize>count; i++) {
    const p = at + i;
    const foretold = median(signed8(p - left, flip), signed8(p - above, flip), signed8(p - corner, flip)) ^ flip;
    const folded = <u32>load<u8>(out + i);
    store<u8>(p, <u8>(foretold + ((folded >> 1) ^ (0 - (folded & 1)))));
  }
}

function residual16(p: usize, left: usize, above: usize, corner: usize, flips: v128): v128 {
  const a = v128.xor(v128.load(p - left), flips);
  const b = v128.xor(v128.load(p - above), flips);
  const c = v128.xor(v128.load(p - corner), flips);
  const most = i16x8.max_s(a, b);
  const least = i16x8.min_s(a, b);
  let foretold = i16x8.sub(i16x8.add(a, b), c); // wraps only where one of the next two lines takes another
  foretold = v128.bitselect(least, foretold, i16x8.ge_s(c, most));
  foretold = v128.bitselect(most, foretold, i16x8.le_s(c, least));
  return i16x8.sub(v128.load(p), v128.xor(foretold, flips));
}

function fold16(d: v128): v128 {
  return v128.xor(i16x8.shl(d, 1), i16x8.shr_s(d, 15));
}

function signed16(p: usize, flip: i32): i32 {
  return <i32>(<i16>(load<u16>(p) ^ <u16>flip));
}

function signed8(p: usize, flip: i32): i32 {
  return <i32>(<i8>(load<u8>(p) ^ <u8>flip));
}

function median(a: i32, b: i32, c: i32): i32 {
  return min(max(a + b - c, min(a, b)), max(a, b));
}
