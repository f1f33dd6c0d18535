import test from "ava";
import ts from "typescript";
import { parseSources, placeOf, readSources } from "./source-files.ts";

/** The only files that may contain times as numbers. */
const DEADLINES = [
	"shared/deadlines.ts",
	"coordinator/deadlines.ts",
	"worker/deadlines.ts",
	"shared/compile/deadlines.mjs",
	"coordinator/dashboard/page/deadlines.js",
];

/** Functions and options of Node and of libraries that take milliseconds. */
const TIMERS = /^(setTimeout|setInterval|sleep|delay|schedule|timeout|wait)$/;
const TIMES = /(_MS|Ms|^timeout|[tT]imeout|TimeWait)$/;

/** Finds times that a source writes as numbers: "FILE:LINE: the source text". */
function timesIn(node: ts.Node): string[] {
	if (isTime(node)) return [`${placeOf(node)}: ${node.getText()}`];
	return node.getChildren().flatMap(timesIn);
}

function isTime(node: ts.Node): boolean {
	if (ts.isCallExpression(node)) {
		const called = ts.isPropertyAccessExpression(node.expression) ? node.expression.name : node.expression;
		return TIMERS.test(called.getText()) && node.arguments.some(isNumber);
	}
	const isNamed =
		ts.isVariableDeclaration(node) ||
		ts.isPropertyAssignment(node) ||
		ts.isPropertyDeclaration(node) ||
		ts.isParameter(node) ||
		ts.isBindingElement(node);
	return isNamed && TIMES.test(node.name.getText()) && node.initializer !== undefined && isNumber(node.initializer);
}

/** A number but 0, or a calculation that adds one or is made of numbers only: `2 * STOP_MS` is none. */
function isNumber(node: ts.Expression): boolean {
	if (ts.isNumericLiteral(node)) return Number(node.text) !== 0;
	if (ts.isParenthesizedExpression(node)) return isNumber(node.expression);
	if (!ts.isBinaryExpression(node)) return false;
	const isFactor = /[*/]/.test(node.operatorToken.getText());
	const [left, right] = [isNumber(node.left), isNumber(node.right)];
	return isFactor ? left && right : left || right;
}

test("times are written as numbers only in the files for deadlines", async (t) => {
	const files = parseSources(await readSources());
	t.deepEqual(files.filter(({ fileName }) => !DEADLINES.includes(fileName)).flatMap(timesIn), []);
});

test("each deadline has a comment with its reason and a unique name that ends in _MS", async (t) => {
	const names: string[] = [];
	const files = parseSources(await readSources()).filter(({ fileName }) => DEADLINES.includes(fileName));
	t.is(files.length, DEADLINES.length);
	for (const source of files) {
		for (const [index, statement] of source.statements.entries()) {
			if (!ts.isVariableStatement(statement)) continue;
			const name = statement.declarationList.declarations[0]?.name.getText() ?? "";
			names.push(name);
			const isPair = source.statements[index - 1] && /^(.+)_(LONGEST|FLUSH)_MS$/.test(name);
			t.true(isPair || ts.getJSDocCommentsAndTags(statement).length > 0, `${source.fileName}: ${name} has no reason`);
		}
	}
	t.deepEqual(
		names.filter((name) => !name.endsWith("_MS")),
		["HEARTBEATS_PER_TIMEOUT"],
	);
	t.is(new Set(names).size, names.length);
});

// Node frees such a signal, so that it never aborts.
test("no source with AbortSignal.any has an AbortSignal.timeout: time limits with another signal are TimeLimits", async (t) => {
	const sources = [...(await readSources())].filter(([, text]) => text.includes("AbortSignal.any("));
	t.true(sources.length > 0);
	t.deepEqual(
		sources.filter(([, text]) => text.includes("AbortSignal.timeout(")).map(([file]) => file),
		[],
	);
});

function timesOf(text: string): string[] {
	return parseSources(new Map([["a.ts", text]])).flatMap(timesIn);
}

test("the check finds a time wherever it is written, and takes no other number for one", (t) => {
	const bad = [
		"setTimeout(stop, 500)",
		"await sleep(2 * 60_000)",
		"AbortSignal.timeout(1000)",
		"const STOP_MS = 5_000",
		"const options = { waitMs: 10 }",
		"const f = ({ limitMs = 20 }) => limitMs",
		"class A { #limitMs = 60_000 }",
		"execFileSync('x', [], { timeout: 10_000 })",
	];
	for (const line of bad)
		t.deepEqual(
			timesOf(`\n${line};`).map((one) => one.slice(0, 7)),
			["a.ts:2:"],
			line,
		);
	const good = [
		"setTimeout(stop, STOP_MS)",
		"let doneMs = 0",
		"const TRIES = 5",
		"wait(signal)",
		"x = { timeout: 2 * DRAIN_MS }",
	];
	t.deepEqual(good.flatMap(timesOf), []);
});
