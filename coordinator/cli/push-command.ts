import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { Command } from "commander";
import { TailtuneError } from "../../shared/errors.ts";
import { temporaryPath } from "../../shared/files/write-atomic.ts";
import { createInterruptSignal } from "../../shared/processes/interrupt.ts";
import type { WorkerSide } from "../../shared/worker-port/worker-side.ts";
import type { RunEvents } from "../events/run-events.ts";
import { formatBytes } from "../format.ts";
import { hubAddress, isHubOffline, readHubToken } from "../hub/hub-access.ts";
import type { FolderFile, PushRequest } from "../hub/push-folder.ts";
import { writeJsonLine } from "../terminal/write-json-line.ts";
import { showEvents } from "./show-events.ts";

interface Options {
	readonly private?: boolean;
	readonly dryRun?: boolean;
	readonly json?: boolean;
}

/** `tailtune push`: uploads the tuned model of a run to the Hugging Face hub. */
export function addPushCommand(program: Command, workerSide: WorkerSide): void {
	program
		.command("push")
		.description("upload the model of a run, as export --format hf writes it, to the Hugging Face hub")
		.argument("<run>", "result folder of a run")
		.argument("<repository>", "OWNER/NAME on the hub; created if it doesn't exist")
		.option("--private", "make a new repository private; refuse one that is public; default: as the owner's settings")
		.option("--dry-run", "only list the files and their sizes; needs no token and no network")
		.action(async (run: string, repo: string, _options: object, command: Command) => {
			const { json, ...options } = command.optsWithGlobals<Options>();
			const events = showEvents({ json });
			const pushed = await exportAndPush(run, repo, options, { events, workerSide });
			if (json) writeJsonLine({ event: "push", ...pushed });
			else if (pushed.commit !== undefined) events.line(pushed.url);
		});
}

interface Environment {
	readonly events: RunEvents;
	readonly workerSide: WorkerSide;
}

/** The repository, its new commit and its files. */
interface Pushed {
	readonly url: string;
	readonly commit?: string;
	readonly files: readonly FolderFile[];
}

async function exportAndPush(
	run: string,
	repo: string,
	{ private: isPrivate = false, dryRun = false }: Options,
	{ events, workerSide: { buildOnnxClassifier } }: Environment,
): Promise<Pushed> {
	if (!/^[\w-][\w.-]*\/[\w-][\w.-]*$/.test(repo)) {
		const expected = "expected OWNER/NAME, a repository of the hub";
		throw new TailtuneError("usage", `push: found ${JSON.stringify(repo)}, ${expected}`);
	}
	const token = dryRun ? undefined : await requireToken();
	const [{ exportRun }, { listFolder, pushFolder }] = await Promise.all([
		import("../export/export-run.ts"),
		import("../hub/push-folder.ts"),
	]);
	const signal = createInterruptSignal();
	const out = temporaryPath(join(run, "push"));
	try {
		await exportRun({ run, format: "hf", out, buildOnnxClassifier });
		const files = await listFolder(out);
		listFiles(files, events);
		const url = `${hubAddress()}/${repo}`;
		if (!token) return { url, files };
		const title = "Add a text classifier tuned with Tailtune";
		const request: PushRequest = { folder: out, files, repo, isPrivate, token, title };
		return { url, files, commit: await pushFolder(request, { listener: events, signal }) };
	} finally {
		await rm(out, { recursive: true, force: true });
	}
}

async function requireToken() {
	if (isHubOffline()) throw new TailtuneError("offline", "push: HF_HUB_OFFLINE is set; run again without it");
	const token = await readHubToken();
	if (token) return token;
	const page = `${hubAddress()}/settings/tokens`;
	const expected = `set HF_TOKEN to one with write access (${page}), or use hf auth login`;
	throw new TailtuneError("denied", `push: found no token; ${expected}`);
}

function listFiles(files: readonly FolderFile[], events: RunEvents): void {
	for (const { path, bytes } of files) events.line(`${path}  ${formatBytes(bytes)}`);
	const total = files.reduce((sum, { bytes }) => sum + bytes, 0);
	events.line(`${files.length} files, ${formatBytes(total)}`);
}
