import test from "ava";
import { parse } from "csv-parse/sync";
import fc from "fast-check";
import { outputFormatOf, toCsvLine, toJsonLine } from "../../../coordinator/table/output-format.ts";
import { predictionColumns } from "../../../coordinator/table/prediction-columns.ts";

const field = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"', ",", "\r", "\n", '""', " a ", "=1+1"));

test("lines of CSV are read back unchanged by a parser of RFC 4180, whatever the fields contain", (t) => {
	const row = fc.array(field, { minLength: 2, maxLength: 4 });
	fc.assert(
		fc.property(fc.array(row, { minLength: 1 }), (rows) => {
			const read = parse(rows.map(toCsvLine).join(""), { relax_column_count: true, record_delimiter: "\r\n" });
			t.deepEqual(read, rows);
		}),
	);
});

test("lines of JSON keep the order of their fields, and a missing value is null", (t) => {
	t.is(toJsonLine(["2", "1", "a"], ["x", undefined, { b: [1] }]), '{"2":"x","1":null,"a":{"b":[1]}}\n');
	fc.assert(
		fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (object) => {
			const line = toJsonLine(Object.keys(object), Object.values(object));
			t.is(line.indexOf("\n"), line.length - 1);
			t.deepEqual(Object.entries(JSON.parse(line)), Object.entries(JSON.parse(JSON.stringify(object))));
		}),
	);
});

test("values other than strings are written as they are read by other programs", (t) => {
	const long = 12345678901234567890n;
	t.is(toJsonLine(["id", "in"], [long, [long]]), '{"id":12345678901234567890,"in":["12345678901234567890"]}\n');
	t.is(toCsvLine([long, "a"]), "12345678901234567890,a\r\n");
	t.is(toCsvLine([1, 0.25, 1e-9, true, null, undefined, ["a", 1]]), '1,0.25,1e-9,true,,,"[""a"",1]"\r\n');
});

test("a prediction has one column per label in CSV, and one object in JSON", (t) => {
	const prediction = { label: "b", probabilities: [0.25, 0.75], tokens: 3, cut: false };
	const csv = predictionColumns("csv", ["a", "b"], { prefix: "x_" });
	t.deepEqual(csv.names, ["x_label", "x_probability_a", "x_probability_b", "x_tokens", "x_cut"]);
	t.deepEqual(csv.valuesOf(prediction), ["b", 0.25, 0.75, 3, false]);
	t.deepEqual(csv.valuesOf(undefined), new Array(5).fill(undefined));
	const json = predictionColumns("jsonl", ["a", "b"]);
	t.deepEqual(predictionColumns("jsonl", ["a"], { label: "predicted" }).names[0], "predicted");
	t.deepEqual(json.names, ["label", "probabilities", "tokens", "cut"]);
	t.deepEqual(json.valuesOf(prediction), ["b", { a: 0.25, b: 0.75 }, 3, false]);
});

test("the extension decides the format, and another one is refused", (t) => {
	t.deepEqual(["a.csv", "A.CSV", "b.jsonl", "c.ndjson"].map(outputFormatOf), ["csv", "csv", "jsonl", "jsonl"]);
	t.throws(() => outputFormatOf("a.xlsx"), {
		code: "usage",
		message: "--out a.xlsx: found .xlsx, expected .csv or .jsonl",
	});
	t.throws(() => outputFormatOf("csv"), { message: "--out csv: found no extension, expected .csv or .jsonl" });
});
