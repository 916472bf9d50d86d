// The one hot loop of the erasure code, in AssemblyScript: four linear combinations of up to `count` byte vectors over GF(2^8).
// A product by a constant is two look-ups of sixteen entries, one a nibble, which a SIMD swizzle does for sixteen bytes at once.
// `relaxed_swizzle` equals `swizzle` for indices below sixteen, and a nibble is always below sixteen; it spares the clamp.
//
// inputs   address of `count` addresses, each of `length` readable bytes
// tables   for each input, for each of the four outputs: 16 products of the low nibble, then 16 of the high nibble (128 bytes an input)
// length   a multiple of 32
// Outputs that are not wanted may share one scratch vector.
export function multiply(
  inputs: usize,
  count: i32,
  tables: usize,
  length: usize,
  out0: usize,
  out1: usize,
  out2: usize,
  out3: usize,
): void {
  const nibble = i8x16.splat(0x0f);
  const end = inputs + ((<usize>count) << 2);
  for (let at: usize = 0; at < length; at += 32) {
    let a0 = i64x2.splat(0);
    let a1 = a0;
    let a2 = a0;
    let a3 = a0;
    let b0 = a0;
    let b1 = a0;
    let b2 = a0;
    let b3 = a0;
    let table = tables;
    for (let pointer = inputs; pointer < end; pointer += 4) {
      const from = <usize>load<u32>(pointer) + at;
      const a = v128.load(from);
      const b = v128.load(from, 16);
      const aLow = v128.and(a, nibble);
      const aHigh = i8x16.shr_u(a, 4);
      const bLow = v128.and(b, nibble);
      const bHigh = i8x16.shr_u(b, 4);

      let low = v128.load(table);
      let high = v128.load(table, 16);
      a0 = v128.xor(a0, v128.xor(i8x16.relaxed_swizzle(low, aLow), i8x16.relaxed_swizzle(high, aHigh)));
      b0 = v128.xor(b0, v128.xor(i8x16.relaxed_swizzle(low, bLow), i8x16.relaxed_swizzle(high, bHigh)));
      low = v128.load(table, 32);
      high = v128.load(table, 48);
      a1 = v128.xor(a1, v128.xor(i8x16.relaxed_swizzle(low, aLow), i8x16.relaxed_swizzle(high, aHigh)));
      b1 = v128.xor(b1, v128.xor(i8x16.relaxed_swizzle(low, bLow), i8x16.relaxed_swizzle(high, bHigh)));
      low = v128.load(table, 64);
      high = v128.load(table, 80);
      a2 = v128.xor(a2, v128.xor(i8x16.relaxed_swizzle(low, aLow), i8x16.relaxed_swizzle(high, aHigh)));
      b2 = v128.xor(b2, v128.xor(i8x16.relaxed_swizzle(low, bLow), i8x16.relaxed_swizzle(high, bHigh)));
      low = v128.load(table, 96);
      high = v128.load(table, 112);
      a3 = v128.xor(a3, v128.xor(i8x16.relaxed_swizzle(low, aLow), i8x16.relaxed_swizzle(high, aHigh)));
      b3 = v128.xor(b3, v128.xor(i8x16.relaxed_swizzle(low, bLow), i8x16.relaxed_swizzle(high, bHigh)));
      table += 128;
    }
    v128.store(out0 + at, a0);
    v128.store(out0 + at, b0, 16);
    v128.store(out1 + at, a1);
    v128.store(out1 + at, b1, 16);
    v128.store(out2 + at, a2);
    v128.store(out2 + at, b2, 16);
    v128.store(out3 + at, a3);
    v128.store(out3 + at, b3, 16);
  }
}
