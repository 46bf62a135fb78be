const table = new Int32Array(256 * 4)
for (let i = 0; i < 256; i++) {
  let crc = i
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0x82f63b78 : crc >>> 1
  table[i] = crc
}
for (let i = 0; i < 256; i++) {
  for (let slice = 1; slice < 4; slice++) {
    const before = at((slice - 1) * 256 + i)
    table[slice * 256 + i] = (before >>> 8) ^ at(before & 0xff)
  }
}

function at(index: number): number {
  return table[index] ?? 0
}

/** CRC-32C (Castagnoli, RFC 3720) of bytes from `start` to `end`, unsigned: the checksum of Kafka's record batches. Four bytes a step. */
export function crc32c(bytes: Uint8Array, start = 0, end = bytes.length): number {
  let crc = -1
  let i = start
  for (const whole = start + ((end - start) & ~3); i < whole; i += 4) {
    crc ^= byte(bytes, i) | (byte(bytes, i + 1) << 8) | (byte(bytes, i + 2) << 16) | (byte(bytes, i + 3) << 24)
    crc = at(768 + (crc & 0xff)) ^ at(512 + ((crc >>> 8) & 0xff)) ^ at(256 + ((crc >>> 16) & 0xff)) ^ at(crc >>> 24)
  }
  for (; i < end; i++) crc = (crc >>> 8) ^ at((crc ^ byte(bytes, i)) & 0xff)
  return ~crc >>> 0
}

function byte(bytes: Uint8Array, index: number): number {
  return bytes[index] ?? 0
}
