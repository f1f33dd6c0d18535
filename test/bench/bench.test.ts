import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "ava";
import { tokenize } from "../gpt2-tokenizer.ts";
import { benchDataset, writeBenchTexts } from "./bench-texts.ts";
import { FleetProcess, readProcessorTime } from "./fleet-process.ts";
import { measureInTurn, median, spread } from "./measure-in-turn.ts";
import { runMeasured } from "./measured-process.ts";
import { formatTable } from "./print-tables.ts";

const MIB = 2 ** 20;

// Serial: another test must not delay the polling of a process's memory and time.
test.serial("a process is measured with its peak memory and the time of all its threads", async (t) => {
	const script = `
		const { Worker } = await import("node:worker_threads");
		const spin = () => { const until = performance.now() + 400; while (performance.now() < until); };
		Buffer.alloc(200 * ${MIB}, 1);
		new Worker("(" + spin + ")()", { eval: true }).on("exit", () => setTimeout(() => console.log("done"), 100));
		spin();
	`;
	const { wallSeconds, cpuSeconds, peakBytes, stdout } = await runMeasured({
		file: process.execPath,
		args: ["--input-type=module", "-e", script],
	});
	t.is(stdout, "done");
	t.true(peakBytes > 200 * MIB && peakBytes < 600 * MIB, `${peakBytes}`);
	t.true(wallSeconds > 0.5);
	// Two threads spin for 0.4 s each; on a busy machine they get less processor time.
	t.true(cpuSeconds > 0.1, `${cpuSeconds}`);
});

test.serial("a failed process is an error with its exit code and its last lines", async (t) => {
	const failing = { file: process.execPath, args: ["-e", "console.error('no such thing'); process.exit(3)"] };
	await t.throwsAsync(runMeasured(failing), { message: /exit code 3\nno such thing$/ });
	await t.throwsAsync(runMeasured({ file: "/none/such", args: [] }), { message: /ENOENT/ });
});

test.serial("a fleet's process answers requests one after the other, and its end is an error", async (t) => {
	const worker = new FleetProcess("fleet-worker.ts");
	t.teardown(() => worker.kill());
	t.deepEqual(await worker.ask({ bytes: true }), { tensors: 0, bus: 0 });
	const { all, first } = await readProcessorTime(worker.pid);
	t.true(first > 0 && all > first, `${first} of ${all} ms`);
	await t.throwsAsync(worker.ask({ nats: "no address" }), { message: /Invalid URL/ });
	const asked = worker.ask({ nats: "nats://127.0.0.1:9" });
	await worker.kill();
	await t.throwsAsync(asked, { message: /ended with SIGKILL/ });
});

test.serial("in each round every side is measured once, in turn", async (t) => {
	const order: string[] = [];
	const side = (name: string) => ({ name, measure: async () => order.push(name) });
	const results = await measureInTurn([side("a"), side("b")], 2, () => {});
	t.deepEqual(order, ["a", "b", "a", "b"]);
	t.deepEqual(
		[...results],
		[
			["a", [1, 3]],
			["b", [2, 4]],
		],
	);
});

test.serial("a median is the middle value or the mean of the two middle ones", (t) => {
	t.is(median([9, 1, 5]), 5);
	t.is(median([4, 1, 2, 9]), 3);
	t.throws(() => median([]), { instanceOf: RangeError });
	t.is(spread([2.04, 1, 3]), "1.0-3.0");
});

test.serial("a table has a column for every value, and columns for aims if there are any", (t) => {
	const rows = [
		{ figure: "first", values: { ratio: 1.234 }, aim: "at least 1", reached: true, note: "alone" },
		{ figure: "second", values: { ratio: 123.4, ms: "5-6" }, aim: "at least 200", reached: false },
	];
	const text = formatTable({ title: "Times", rows });
	t.regex(text, /^Times\n.*\n.*figure .* ratio .* ms .* aim .* reached/);
	t.regex(text, /first .* 1\.23 .* at least 1 .* yes/);
	t.regex(text, /second .* 123 .* 5-6 .* at least 200 .* no/);
	t.regex(text, /\n {2}first: alone$/);
	t.notRegex(formatTable({ title: "Times", rows: [{ figure: "first", values: { ms: 1 } }] }), /aim|reached/);
});

test.serial(
	"every side reads the same texts, tokens and order; tokens are cut to the longest training text",
	async (t) => {
		const folder = await mkdtemp(join(tmpdir(), "tailtune-bench-texts-"));
		t.teardown(() => rm(folder, { recursive: true, force: true }));
		const dataset = await benchDataset(undefined, 60);
		const written = await writeBenchTexts(dataset, folder, 30);
		const read = async (name: string): Promise<{ label: number; ids: number[]; text: string }[]> => {
			const lines = (await readFile(join(folder, `${name}.jsonl`), "utf8")).trimEnd().split("\n");
			return lines.map((line) => JSON.parse(line));
		};
		const [train, val, testing] = (await Promise.all(["train", "val", "test"].map(read))) as [
			never[],
			never[],
			never[],
		];
		const all: Awaited<ReturnType<typeof read>> = [...train, ...val, ...testing];
		t.deepEqual([train.length, val.length, testing.length], [42, 6, 12]);
		const tokens = tokenize(
			all.map(({ text }) => text),
			30,
		);
		t.deepEqual(
			all.map(({ ids }) => ids),
			tokens.map((ids) => [...ids]),
		);
		t.deepEqual([...new Set(all.map(({ label }) => label))].sort(), [0, 1]);
		t.is(written.texts, 60);
		t.true(written.longestTokens <= 30);
		const { epochs } = JSON.parse(await readFile(join(folder, "order.json"), "utf8"));
		t.deepEqual(
			epochs[1].toSorted((a: number, b: number) => a - b),
			[...train.keys()],
		);
		t.notDeepEqual(epochs[0], epochs[1]);
		t.deepEqual(await benchDataset(undefined, 60), dataset, "messages are the same each time");
	},
);
