// Messages for an operation of an API, made from its schema by a seeded generator: as it has to be, almost so, and hostile.

// mulberry32: small, and the same numbers everywhere.
export class Random {
  constructor(seed) { this.state = seed >>> 0; }
  unit() {
    this.state = (this.state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(this.state ^ (this.state >>> 15), this.state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  }
  below(bound) { return Math.floor(this.unit() * bound); }
  chance(share) { return this.unit() < share; }
  of(list) { return list[this.below(list.length)]; }
}

export const kOddTexts = ["", " ", "\0", "\n\r\n", "\u202egnirts", "\u{1F337}\u{1F3FD}", "\ufeff", "\ud800", "\udfff", "e\u0301".repeat(50),
  "%s%n%x%p", "{{7*7}}", "${jndi:ldap://x}", "' OR '1'='1", "<script>alert(1)</script>", "../../../etc/passwd", "..\\..\\x", "$(id)", "`id`",
  "null", "NaN", "-1", "1e999", "a".repeat(199), "a".repeat(5000), "\u00ff".repeat(300), "\x7f", "__proto__", "constructor"];
const kOddValues = [null, true, false, 0, -1, -0.5, 1e308, 2 ** 53, 18446744073709551616, [], {}, [[]], [null], { "": "" }, "x", ...kOddTexts];

export class Messages {
  // `pool`: texts that were seen in answers and may mean something; `marked`: a text for each secret field.
  constructor(api, random, pool, marked) { Object.assign(this, { api, random, pool, marked }); }

  value(schema, depth = 0) {
    const told = this.api.resolved(schema);
    if (told.enum) return this.random.of(told.enum);
    if (told.writeOnly) return this.marked();
    switch (told.type) {
      case "string": return this.#text(told);
      case "boolean": return this.random.chance(0.5);
      case "integer": return Math.floor(this.#number(told));
      case "number": return this.#number(told);
      case "array": return depth > 6 ? [] : Array.from({ length: this.random.below(4) }, () => this.value(told.items, depth + 1));
      default: return this.#object(told, depth);
    }
  }
  #object(told, depth) {
    const made = {};
    for (const [name, inner] of Object.entries(told.properties ?? {}))
      if (told.required?.includes(name) || this.random.chance(0.5)) made[name] = this.value(inner, depth + 1);
    if (typeof told.additionalProperties === "object" && depth < 6)
      for (let i = this.random.below(3); i > 0; i--) made[this.#text({})] = this.value(told.additionalProperties, depth + 1);
    return made;
  }
  #text(told) {
    if (told.format === "date-time") return new Date(1.6e12 + this.random.unit() * 3e11).toISOString();
    const text = this.random.chance(0.3) && this.pool.length > 0 ? this.random.of(this.pool) : "word ".repeat(this.random.below(8)).trim();
    return text.slice(0, told.maxLength ?? 100);
  }
  #number({ minimum = -1e6, maximum = 1e6 }) {
    return this.random.chance(0.2) ? this.random.of([minimum, maximum]) : minimum + this.random.unit() * (maximum - minimum);
  }

  // One thing is otherwise than in a message that is right; it may still be right.
  almost(schema) {
    const made = this.value(schema);
    const [holder, name] = this.#somewhere({ whole: made }, "whole");
    switch (this.random.below(5)) {
      case 0: delete holder[name]; break;
      case 1: holder[name] = this.random.of(kOddValues); break;
      case 2: if (typeof holder[name] === "object" && holder[name]) holder[name][this.random.of(["more", "", "__proto__x"])] = this.random.of(kOddValues); break;
      case 3: if (typeof holder[name] === "string") holder[name] += this.random.of(kOddTexts); break;
      default: if (typeof holder[name] === "number") holder[name] *= this.random.of([-1, 1e9, 1e300, 0.5]);
    }
    return made;
  }
  #somewhere(holder, name) {
    const here = holder[name];
    if (typeof here !== "object" || here === null || this.random.chance(0.2)) return [holder, name];
    const names = Object.keys(here);
    return names.length === 0 ? [holder, name] : this.#somewhere(here, this.random.of(names));
  }

  // The bytes of a body that is no message at all, or one that is meant to break its reader.
  hostile(schema) {
    const good = JSON.stringify(this.value(schema));
    return this.random.of([
      () => "", () => "{", () => "[]", () => "null", () => "\"text\"", () => "42", () => `${good}${good}`, () => `${good}x`, () => `\ufeff${good}`,
      () => good.slice(0, this.random.below(good.length)),
      () => good.replace("{", `{"more":${"[".repeat(20000)}`), () => "[".repeat(100000), () => "{\"a\":".repeat(30000),
      () => good.replace("{", "{\"a\":1,\"a\":2,"), () => good.replace(/"[^"]*"/, "\"\\ud800\""), () => good.replace(/:/g, ":1e999,\"x\":"),
      () => Buffer.from(good).map((byte) => (this.random.chance(0.05) ? this.random.below(256) : byte)),
      () => Buffer.from(Array.from({ length: this.random.below(300) }, () => this.random.below(256))),
      () => Buffer.concat([Buffer.from("{\"a\":\""), Buffer.from([0xc0, 0xaf, 0xed, 0xa0, 0x80, 0xff]), Buffer.from("\"}")]),
      () => `{"a":"${"x".repeat(900000)}"}`, () => `{"a":"${"x".repeat(1200000)}"}`, () => `[${"1,".repeat(200000)}1]`,
      () => `{${Array.from({ length: 5000 }, (_, i) => `"n${i}":0`).join(",")}}`,
    ])();
  }
}
