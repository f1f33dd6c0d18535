import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import test from "ava";
import fc from "fast-check";
import { parquetWriteBuffer } from "hyparquet-writer";
import { openTable } from "../../../coordinator/data/open-table.ts";
import { readDataset } from "../../../coordinator/data/read-dataset.ts";
import { DEFAULT_COLUMNS, type TableRow } from "../../../coordinator/data/table.ts";
import { newFolder } from "../../new-folder.ts";

/** Files written by pyarrow 26.0.1, with 2 row groups. */
const written = (compression: string) => new URL(`./parquet/${compression}.parquet`, import.meta.url).pathname;

async function rowsOf(file: string): Promise<TableRow[]> {
	const rows: TableRow[] = [];
	for await (const row of (await openTable(file, DEFAULT_COLUMNS)).rows) rows.push(row);
	return rows;
}

for (const compression of ["none", "snappy", "gzip", "brotli", "zstd", "lz4"]) {
	test(`a Parquet file of pyarrow is read: ${compression}`, async (t) => {
		const file = written(compression);
		const day = "2024-05-01T00:00:00.000Z";
		t.deepEqual(
			(await rowsOf(file)).map(({ values }) => values),
			[
				[1, "größe 😀\nb", "pos", { body: "x", n: [1, 2] }, day, 0.5, "p"],
				["9007199254740993", "c", "neg", { body: null, n: [] }, day, null, "q"],
				[null, "c", "pos", { body: "z", n: null }, day, -1.25, "r"],
			],
		);
	});
}

test("a Parquet file has classes by name, nested fields, and the number of each row", async (t) => {
	const file = written("snappy");
	const { labels, examples } = await readDataset(file, { textColumn: "text,meta.body" });
	t.deepEqual(
		examples.map(({ text, label, source }) => [text, labels[label], source]),
		[
			["größe 😀\nb\n\nx", "pos", `${file}:1`],
			["c", "neg", `${file}:2`],
			["c\n\nz", "pos", `${file}:3`],
		],
	);
	t.deepEqual((await rowsOf(file))[0]?.names, ["id", "text", "label", "meta", "day", "score", "big"]);
	await t.throwsAsync(readDataset(file, { textColumn: "body" }), {
		code: "data",
		message: `${file}:1: no field "body" (--text-column); found id, text, label, meta, day, score, big`,
	});
});

test("any text survives writing and reading as Parquet", async (t) => {
	const file = join(await newFolder(), "a.parquet");
	const text = fc.string({ unit: "grapheme", minLength: 1 }).filter((of) => of.trim() !== "");
	const rows = fc.array(fc.tuple(text, fc.boolean()), { minLength: 1, maxLength: 20 });
	await fc.assert(
		fc.asyncProperty(rows, async (all) => {
			const columnData = [
				{ name: "text", data: all.map(([own]) => own), type: "STRING" as const },
				{ name: "label", data: all.map(([, own]) => own), type: "BOOLEAN" as const },
			];
			await writeFile(file, Buffer.from(parquetWriteBuffer({ columnData, rowGroupSize: 7 })));
			const { labels, examples } = await readDataset(file);
			t.deepEqual(
				examples.map((example) => [example.text, labels[example.label] === "true"]),
				all,
			);
		}),
		{ numRuns: 30 },
	);
});

test("a damaged Parquet file is read or refused in one line", async (t) => {
	const folder = await newFolder();
	const whole = await readFile(written("snappy"));
	let count = 0;
	const damage = fc.array(fc.tuple(fc.nat(whole.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 });
	await fc.assert(
		fc.asyncProperty(damage, fc.integer({ min: 0, max: whole.length }), async (changes, length) => {
			const bytes = Buffer.from(whole);
			for (const [place, value] of changes) bytes[place] = value;
			const file = join(folder, `${count++}.parquet`);
			await writeFile(file, length < 100 ? bytes.subarray(0, length) : bytes);
			const error = await rowsOf(file).then(
				() => undefined,
				(caught: Error) => caught,
			);
			if (!error) return;
			t.is(error.name, "TailtuneError", String(error.stack));
			t.true(error.message.startsWith(`${file}: can't be read as Parquet: `) || error.message.includes("row groups"));
			t.false(error.message.includes("\n"));
		}),
		{ numRuns: 200 },
	);
});

test("Parquet is found by its first bytes, and refused inside gzip", async (t) => {
	const folder = await newFolder();
	const bytes = await readFile(written("none"));
	await writeFile(join(folder, "data"), bytes);
	t.is((await rowsOf(join(folder, "data"))).length, 3);
	await writeFile(join(folder, "a.parquet.gz"), gzipSync(bytes));
	await t.throwsAsync(rowsOf(join(folder, "a.parquet.gz")), {
		message: /a\.parquet\.gz: found a Parquet file, expected it unpacked and in a file, not in gzip or standard input$/,
	});
	await writeFile(join(folder, "a.parquet"), "label,text\n");
	await t.throwsAsync(rowsOf(join(folder, "a.parquet")), {
		code: "data",
		message: /a\.parquet: can't be read as Parquet: /,
	});
});
