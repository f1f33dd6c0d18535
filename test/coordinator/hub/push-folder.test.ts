import { createHash } from "node:crypto";
import test, { type ExecutionContext } from "ava";
import { listFolder, type PushRequest, pushFolder } from "../../../coordinator/hub/push-folder.ts";
import { temporaryFolder } from "../../temporary-folder.ts";
import { COMMIT_OID, startUploadHub } from "./upload-hub.ts";

const WEIGHTS = Buffer.from(Array.from({ length: 100_000 }, (_, i) => (i * i) % 251));
const FILES = { "config.json": '{"model_type":"gpt2"}', "model.safetensors": WEIGHTS, "sub/größe #1.txt": "é" };

async function setUp(t: ExecutionContext) {
	const hub = await startUploadHub(t);
	const folder = await temporaryFolder(t, FILES);
	const token = { token: "hf_secret", source: "HF_TOKEN" };
	const request = {
		folder,
		files: await listFolder(folder),
		repo: "me/spam",
		isPrivate: false,
		token,
		title: "A model",
	};
	const progress: [number, number][] = [];
	const listener = {
		line: () => {},
		download: () => (done: number, total: number) => void progress.push([done, total]),
	};
	const push = (changes: Partial<PushRequest> = {}, options = {}) =>
		pushFolder({ ...request, ...changes }, { hubUrl: hub.url, listener, ...options });
	return { hub, folder, request, progress, push };
}

const uploads = (calls: readonly { call: string }[]) => calls.filter(({ call }) => call.startsWith("PUT"));

test("lists the files of a folder with their sizes, in order", async (t) => {
	t.deepEqual(await listFolder(await temporaryFolder(t, FILES)), [
		{ path: "config.json", bytes: 21 },
		{ path: "model.safetensors", bytes: 100_000 },
		{ path: "sub/größe #1.txt", bytes: 2 },
	]);
});

for (const [title, partBytes, requests] of [
	["one request", undefined, 1],
	["parts", 30_000, 4],
] as const) {
	test(`uploads all files in one commit, large ones in ${title}, and reports the progress`, async (t) => {
		const { hub, progress, push } = await setUp(t);
		hub.partBytes = partBytes;
		t.is(await push(), COMMIT_OID);
		t.deepEqual([...hub.files.keys()].sort(), Object.keys(FILES).sort());
		for (const [path, content] of Object.entries(FILES)) t.deepEqual(hub.files.get(path), Buffer.from(content), path);
		t.is(hub.summary, "A model");
		t.is(uploads(hub.requests).length, requests);
		t.like(hub.created[0], { name: "spam", organization: "me", type: "model" });
		t.is(hub.created[0]?.visibility, undefined);
		for (const { call, authorization } of hub.requests)
			t.is(authorization, /^(PUT|POST \/complete)/.test(call) ? undefined : "Bearer hf_secret", call);
		const total = 100_023;
		t.deepEqual(progress.slice(-2), [
			[100_000, total],
			[total, total],
		]);
	});
}

test("files that the hub has already aren't sent again", async (t) => {
	const { hub, push } = await setUp(t);
	hub.objects.set(createHash("sha256").update(WEIGHTS).digest("hex"), WEIGHTS);
	await push();
	t.deepEqual(uploads(hub.requests), []);
	t.deepEqual(hub.files.get("model.safetensors"), WEIGHTS);
	await push();
	t.is(hub.created.length, 2, "the repository exists");
});

test("a private repository stays private, and a public one isn't written to with --private", async (t) => {
	const { hub, push } = await setUp(t);
	await push({ isPrivate: true });
	await push({ isPrivate: true });
	t.deepEqual(
		hub.created.map(({ visibility }) => visibility),
		["private", "private"],
	);
	hub.repository = { isPrivate: false };
	hub.files.clear();
	await t.throwsAsync(push({ isPrivate: true }), {
		code: "usage",
		message: "--private: me/spam exists and is public; expected a new or a private repository",
	});
	t.is(hub.files.size, 0);
});

test("an interrupted upload ends at once, and nothing is visible", async (t) => {
	const { hub, push } = await setUp(t);
	const stop = new AbortController();
	hub.onUpload = () => stop.abort();
	await t.throwsAsync(push({}, { signal: stop.signal }), {
		code: "interrupted",
		message: "push me/spam: stopped; run again to continue",
	});
	t.is(hub.files.size, 0);
	await t.throwsAsync(push({}, { signal: stop.signal }), { code: "interrupted" });
});

test("a refusal of the hub is one line about the token, the access or the name", async (t) => {
	const { hub, push } = await setUp(t);
	const cases = [
		[401, "denied", `${hub.url} doesn't accept the token of HF_TOKEN`],
		[403, "denied", "the token of HF_TOKEN has no write access to me/spam"],
		[400, "offline", `${hub.url} answers with status 400 (Name too long); run again to continue: `],
	] as const;
	for (const [status, code, message] of cases) {
		hub.refusal = { status, error: "Name\ntoo long" };
		const error = await t.throwsAsync(push(), { code });
		t.true(error?.message.startsWith(`push me/spam: ${message}`), error?.message);
		t.false(error?.message.includes("hf_secret"));
	}
	const away = await t.throwsAsync(push({}, { hubUrl: "http://127.0.0.1:1" }), { code: "offline" });
	t.regex(away?.message ?? "", /^push me\/spam: http:\/\/127\.0\.0\.1:1 can't be reached; run again/);
});

// Node's fetch keeps the bytes of an upload that may be redirected in memory.
test("an upload is sent to no other address than that of the hub's answer", async (t) => {
	const { hub, push } = await setUp(t);
	hub.redirect = `${hub.url}/elsewhere`;
	await t.throwsAsync(push(), { code: "offline", message: /can't be reached; run again to continue/ });
	t.false(hub.requests.some(({ call }) => call.includes("elsewhere")));
	t.is(hub.files.size, 0);
});

test("a file that is gone meanwhile is an error", async (t) => {
	const { folder, push } = await setUp(t);
	await t.throwsAsync(push({ files: [{ path: "gone.json", bytes: 1 }] }), {
		code: "disk",
		message: `${folder}: can't be read: Unable to open file as blob`,
	});
});
