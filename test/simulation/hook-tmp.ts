import { drawSchedule } from "./schedule.ts";
import { simulate } from "./simulate.ts";
const want = new Map<number, string>();
let bad = 0;
async function one(seed: number) {
	const o = await simulate(drawSchedule(seed), { isTraced: true });
	const s = o.trace.join("\n");
	const w = want.get(seed);
	if (w === undefined) want.set(seed, s);
	else if (w !== s) { bad++; const a = w.split("\n"), b = s.split("\n"); const i = a.findIndex((l, k) => l !== b[k]); console.log("seed", seed, "line", i, "\n", a.slice(i - 3, i + 2).join("\n "), "\n--\n", b.slice(i - 3, i + 2).join("\n ")); }
}
const end = Date.now() + 60_000;
let n = 0;
while (Date.now() < end && bad < 5) { await Promise.all([4, 16, 136, 7, 10, 15, 4, 16, 136, 23,24,25,26,27,28].map((s) => one(s))); n++; }
console.log("rounds", n, "bad", bad);
