import { readFile } from "node:fs/promises";
import test from "ava";
import { execa } from "execa";
import ts from "typescript";

/** The only files that may contain times as numbers. */
const DEADLINES = [
	"shared/deadlines.ts",
	"coordinator/deadlines.ts",
	"worker/deadlines.ts",
	"shared/compile/deadlines.mjs",
];

/** Functions and options of Node and of libraries that take milliseconds. */
const TIMERS = /^(setTimeout|setInterval|sleep|delay|schedule|timeout|wait)$/;
const TIMES = /(_MS|Ms|^timeout|[tT]imeout|TimeWait)$/;

/** Finds times that a source writes as numbers: "FILE:LINE: the source text". */
function timesIn(file: string, text: string): string[] {
	const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
	const found: string[] = [];
	const visit = (node: ts.Node): void => {
		if (isTime(node)) {
			const { line } = source.getLineAndCharacterOfPosition(node.getStart());
			found.push(`${file}:${line + 1}: ${node.getText()}`);
		} else ts.forEachChild(node, visit);
	};
	visit(source);
	return found;
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

async function sources(): Promise<string[]> {
	const { stdout } = await execa("git", ["ls-files", "coordinator", "deploy", "shared", "worker", "tailtune.mjs"]);
	return stdout.split("\n").filter((file) => /\.(ts|mjs|js)$/.test(file) && !DEADLINES.includes(file));
}

test("times are written as numbers only in the files for deadlines", async (t) => {
	const found = await Promise.all((await sources()).map(async (file) => timesIn(file, await readFile(file, "utf8"))));
	t.deepEqual(found.flat(), []);
});

test("each deadline has a comment with its reason and a unique name that ends in _MS", async (t) => {
	const names: string[] = [];
	for (const file of DEADLINES) {
		const source = ts.createSourceFile(file, await readFile(file, "utf8"), ts.ScriptTarget.Latest, true);
		for (const [index, statement] of source.statements.entries()) {
			if (!ts.isVariableStatement(statement)) continue;
			const name = statement.declarationList.declarations[0]?.name.getText() ?? "";
			names.push(name);
			const isPair = source.statements[index - 1] && /^(.+)_(LONGEST|FLUSH)_MS$/.test(name);
			t.true(isPair || ts.getJSDocCommentsAndTags(statement).length > 0, `${file}: ${name} has no reason`);
		}
	}
	t.deepEqual(
		names.filter((name) => !name.endsWith("_MS")),
		["HEARTBEATS_PER_TIMEOUT"],
	);
	t.is(new Set(names).size, names.length);
});

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
			timesIn("a.ts", `\n${line};`).map((one) => one.slice(0, 7)),
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
	t.deepEqual(
		good.flatMap((line) => timesIn("a.ts", line)),
		[],
	);
});
