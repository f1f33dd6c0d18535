import test from "ava";
import ts from "typescript";
import { nodesOf, parseSources, placeOf, readSources } from "./source-files.ts";

const LONGEST_FUNCTION = 40;
/** As the formatter counts. */
const LINE_WIDTH = 120;
const TAB_WIDTH = 2;

/** First words of functions that act, or that ask whether something is so. A new one must be a verb. */
const VERBS = new Set(
	`is has are add announce append apply ask assert attach await begin build cancel check choose classify close collect compare compile compute
	connect convert copy count create decode delete describe dial dispose download emit encode end evaluate exit expect explain export
	fetch fill find finish fingerprint fit format generate get guard handle hash hide hold import inspect install iterate join
	keep link list listen load lock main make measure merge meter move obtain open parse plan prepare print publish pull push put
	race read refuse register release remove rename reopen replace report resolve respond restart resume restore retire retry round run
	save scan send serve set show silence spawn stage start step stop store stream take test time tokenize train transfer try
	unpack update use validate verify wait warn watch widen wrap write`.split(/\s+/),
);

/** Functions that are longer than allowed. */
function longFunctions(files: readonly ts.SourceFile[]): string[] {
	return files.flatMap((file) =>
		[...nodesOf(file)]
			.filter((node) => ts.isFunctionLike(node) && "body" in node && node.body !== undefined)
			.map((node) => ({ node, lines: node.getText().split("\n").length }))
			.filter(({ lines }) => lines > LONGEST_FUNCTION)
			.map(({ node, lines }) => `${placeOf(node)}: a function of ${lines} lines, expected at most ${LONGEST_FUNCTION}`),
	);
}

/** What a file exports by declaring it. */
function exportedDeclarations(file: ts.SourceFile): { name: string; node: ts.Statement }[] {
	return file.statements
		.filter((node) => ts.canHaveModifiers(node) && ts.getModifiers(node)?.some(isExport))
		.flatMap((node) => namesOf(node).map((name) => ({ name, node })));
}

function isExport({ kind }: ts.ModifierLike): boolean {
	return kind === ts.SyntaxKind.ExportKeyword;
}

function namesOf(node: ts.Statement): string[] {
	if (ts.isVariableStatement(node)) return node.declarationList.declarations.map(({ name }) => name.getText());
	const { name } = node as ts.DeclarationStatement;
	return name ? [name.text] : [];
}

/** Exported functions that return nothing or a promise, and don't begin with a verb. */
function functionsWithoutVerb(files: readonly ts.SourceFile[]): string[] {
	return files.flatMap((file) =>
		exportedDeclarations(file)
			.filter(
				({ node }) => ts.isFunctionDeclaration(node) && /^(void|Promise\b|AsyncGenerator\b)/.test(returnTypeOf(node)),
			)
			.filter(({ name }) => !VERBS.has(/^[a-z]+/.exec(name)?.[0] ?? "") && !/Exists$/.test(name))
			.map(({ name, node }) => `${placeOf(node)}: ${name} acts, expected a verb as its first word`),
	);
}

function returnTypeOf(node: ts.FunctionDeclaration): string {
	return node.type?.getText() ?? "";
}

/** Names that more than one file exports. */
function namesWithTwoMeanings(files: readonly ts.SourceFile[]): string[] {
	const places = new Map<string, Set<string>>();
	for (const file of files) {
		for (const { name } of exportedDeclarations(file)) {
			places.set(name, (places.get(name) ?? new Set()).add(file.fileName));
		}
	}
	const several = [...places].filter(([, exporters]) => exporters.size > 1);
	return several.map(([name, exporters]) => `${name}: exported by ${[...exporters].join(" and ")}`);
}

/** Calls that end the process, outside the one file that may. */
function processExits(files: readonly ts.SourceFile[]): string[] {
	return files
		.filter(({ fileName }) => fileName !== "coordinator/cli/exit-now.ts")
		.flatMap((file) => [...nodesOf(file)])
		.filter((node) => ts.isCallExpression(node) && /^process\.(exit|abort|reallyExit)$/.test(node.expression.getText()))
		.map((node) => `${placeOf(node)}: ${node.getText()}`);
}

/** Comment lines that are too long; the formatter doesn't wrap them. */
function longCommentLines(sources: ReadonlyMap<string, string>): string[] {
	return [...sources].flatMap(([file, text]) =>
		text
			.split("\n")
			.map((line, i) => ({
				place: `${file}:${i + 1}`,
				line,
				width: line.replaceAll("\t", " ".repeat(TAB_WIDTH)).length,
			}))
			.filter(({ line, width }) => /^\s*(\/\/|\/?\*)/.test(line) && width > LINE_WIDTH)
			.map(({ place, width }) => `${place}: a comment of ${width} columns, expected at most ${LINE_WIDTH}`),
	);
}

/** Words that readers of plain English stumble over, and "where" for "if". */
const AVOIDED =
	/\b(whoever|nobody|beside|anew|at hand|in hand|so many|so long|signs of life|goes on|go on)\b|@throws [^*]*\bwhere\b/i;

/** Comments with words to avoid. */
function unplainComments(sources: ReadonlyMap<string, string>): string[] {
	return [...sources].flatMap(([file, text]) =>
		text
			.split("\n")
			.map((line, i) => ({ place: `${file}:${i + 1}`, line }))
			.filter(({ line }) => /^\s*(\/\/|\/?\*)/.test(line) && AVOIDED.test(line))
			.map(({ place, line }) => `${place}: found "${AVOIDED.exec(line)?.[0]}", expected plainer words`),
	);
}

const sources = await readSources();
const files = parseSources(sources);

test(`no function has more than ${LONGEST_FUNCTION} lines`, (t) => {
	t.deepEqual(longFunctions(files), []);
});

test("exported functions that act begin with a verb", (t) => {
	t.deepEqual(functionsWithoutVerb(files), []);
});

test("no exported name has two meanings", (t) => {
	t.deepEqual(namesWithTwoMeanings(files), []);
});

test("only one place ends the process", (t) => {
	t.deepEqual(processExits(files), []);
});

test("comments keep to the line width", (t) => {
	t.deepEqual(longCommentLines(sources), []);
});

test("comments use plain words", (t) => {
	t.deepEqual(unplainComments(sources), []);
});

test("each rule finds what breaks it", (t) => {
	const bad = new Map([
		["shared/a.ts", `export function a() {\n${"\n".repeat(40)}}\nexport async function thing(): Promise<void> {}`],
		["worker/c.ts", '// Calls whoever waits.\n/** @throws Error where it fails */\nconst nobody = "nobody";'],
		["worker/b.ts", `export const a = 1;\nif (a) process.exit(1);\n\t// ${"x".repeat(120)}`],
	]);
	const parsed = parseSources(bad);
	t.deepEqual(longFunctions(parsed), ["shared/a.ts:1: a function of 42 lines, expected at most 40"]);
	t.deepEqual(functionsWithoutVerb(parsed), ["shared/a.ts:43: thing acts, expected a verb as its first word"]);
	t.deepEqual(namesWithTwoMeanings(parsed), ["a: exported by shared/a.ts and worker/b.ts"]);
	t.deepEqual(processExits(parsed), ["worker/b.ts:2: process.exit(1)"]);
	t.deepEqual(longCommentLines(bad), ["worker/b.ts:3: a comment of 125 columns, expected at most 120"]);
	t.deepEqual(unplainComments(bad), [
		'worker/c.ts:1: found "whoever", expected plainer words',
		'worker/c.ts:2: found "@throws Error where", expected plainer words',
	]);
});
