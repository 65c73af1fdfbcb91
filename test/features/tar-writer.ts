export type Packed = {
  readonly name: string;
  readonly text?: string;
  readonly bytes?: Uint8Array;
  readonly link?: string;
  /** The type in the header; told from the rest when left out. */
  readonly type?: string;
  readonly mode?: number;
  readonly uid?: number;
};

/** Writes a ustar archive: what stands in it is exactly what is asked for, be it legal or not. */
export function writeTar(members: readonly Packed[]): Buffer {
  const end = Buffer.alloc(1024);
  return Buffer.concat([...members.flatMap(writeMember), end]);
}

function writeMember({ name, text = "", bytes, link = "", type, mode = 0o644, uid = 0 }: Packed): Buffer[] {
  const content = Buffer.from(bytes ?? Buffer.from(text));
  const header = Buffer.alloc(512);
  header.write(name, 0, 100);
  const number = (value: number): string => `${value.toString(8).padStart(7, "0")}\0`;
  header.write(number(mode) + number(uid) + number(0), 100);
  header.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  header.write("00000000000\0", 136);
  header.write(type ?? (link ? "2" : name.endsWith("/") ? "5" : "0"), 156);
  header.write(link, 157, 100);
  header.write("ustar\x0000", 257);
  header.write(" ".repeat(8), 148);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  return [header, content, Buffer.alloc((512 - (content.length % 512)) % 512)];
}

/** A record of a pax header. */
export function paxRecord(name: string, value: string): string {
  const rest = Buffer.byteLength(` ${name}=${value}\n`);
  const digits = String(rest + String(rest).length).length;
  return `${rest + digits} ${name}=${value}\n`;
}
