import { access, constants, type FileHandle, open, readdir, rm } from "node:fs/promises";
import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { makeFolders } from "../../shared/files/make-folders.ts";
import { asDiskError } from "../../shared/files/write-atomic.ts";
import { removeEmptyFolders } from "../run-folder/run-folder.ts";
import { type EventMessage, encodeRecord, type HParamsData, hparamsValue, type SummaryValue } from "./event-records.ts";
import { type TrackedEnd, type TrackedPoint, type TrackedRun, type Tracker, trackedSettings } from "./tracker.ts";

/** Names of TensorBoard's files, with the second in which they were begun. */
const EVENT_FILE = /^events\.out\.tfevents\.(\d+)\./;
const STATUS = { finished: "STATUS_SUCCESS", failed: "STATUS_FAILURE", interrupted: "STATUS_UNKNOWN" } as const;

/**
 * Opens a folder for TensorBoard. Each run has a folder in it, and each process of a run a file in that.
 * @throws TailtuneError "disk" that names --tensorboard, if the folder can't be made or written
 */
export async function openTensorBoard(path: string): Promise<Tracker> {
	const folder = resolve(path);
	try {
		const firstMade = await makeFolders(folder);
		await access(folder, constants.W_OK);
		// It is made again for the first run, if there is one.
		if (firstMade !== undefined) await removeEmptyFolders(folder, firstMade);
	} catch (cause) {
		throw asDiskError(`--tensorboard ${path}`, cause);
	}
	return new TensorBoard(folder);
}

class TensorBoard implements Tracker {
	readonly name = "TensorBoard";
	readonly #folder: string;
	#file: EventFile | undefined;

	constructor(folder: string) {
		this.#folder = folder;
	}

	async start(run: TrackedRun): Promise<void> {
		await this.#file?.close();
		this.#file = undefined;
		const folder = join(this.#folder, run.name);
		const { file, isFirst } = await createEventFile(folder);
		const seconds = Date.now() / 1000;
		// Steps after the checkpoint are repeated: readers drop those of earlier files.
		const step = (run.earlier.at(-1)?.step ?? -1) + 1;
		const events: EventMessage[] = [
			{ wall_time: seconds, step: 0, file_version: "brain.Event:2" },
			{ wall_time: seconds, step, session_log: { status: "START" } },
			summaryOf(seconds, 0, [hparamsValue("_hparams_/session_start_info", startOf(run, seconds))]),
			...(isFirst ? run.earlier.map(eventOf) : []),
		];
		try {
			await file.append(events);
		} catch (error) {
			// So that the next call creates the first file again.
			await file.remove();
			throw error;
		}
		this.#file = file;
	}

	async log(points: readonly TrackedPoint[]): Promise<void> {
		await this.#file?.append(points.map(eventOf));
	}

	async end({ outcome, scores }: TrackedEnd): Promise<void> {
		const seconds = Date.now() / 1000;
		const ended = { session_end_info: { status: STATUS[outcome], end_time_secs: seconds } };
		const events = [summaryOf(seconds, 0, [hparamsValue("_hparams_/session_end_info", ended)])];
		await this.#file?.append([...(scores ? [eventOf(scores)] : []), ...events]);
		await this.#file?.close();
		this.#file = undefined;
	}
}

/** A file of events. A call that failed can be repeated. */
class EventFile {
	readonly #path: string;
	readonly #handle: FileHandle;
	#bytes = 0;

	constructor(path: string, handle: FileHandle) {
		this.#path = path;
		this.#handle = handle;
	}

	async append(events: readonly EventMessage[]): Promise<void> {
		const bytes = Buffer.concat(events.map(encodeRecord));
		try {
			// Over the part of a write that failed.
			for (let done = 0; done < bytes.length; )
				done += (await this.#handle.write(bytes, done, bytes.length - done, this.#bytes + done)).bytesWritten;
		} catch (cause) {
			throw asDiskError(this.#path, cause);
		}
		this.#bytes += bytes.length;
	}

	async close(): Promise<void> {
		await this.#handle.close();
	}

	/** Closes and removes the file. It never throws. */
	async remove(): Promise<void> {
		await this.close().catch(() => {});
		await rm(this.#path, { force: true }).catch(() => {});
	}
}

/** Readers sort the files of a run by name, so a new one has a later second than the others. */
async function createEventFile(folder: string): Promise<{ file: EventFile; isFirst: boolean }> {
	try {
		await makeFolders(folder);
		const begun = (await readdir(folder)).flatMap((name) => EVENT_FILE.exec(name)?.slice(1).map(Number) ?? []);
		const second = Math.max(Math.floor(Date.now() / 1000), ...begun.map((other) => other + 1));
		const path = join(folder, `events.out.tfevents.${String(second).padStart(10, "0")}.${hostname()}.${process.pid}.0`);
		return { file: new EventFile(path, await open(path, "wx")), isFirst: begun.length === 0 };
	} catch (cause) {
		throw asDiskError(folder, cause);
	}
}

function eventOf({ step, time, scalars }: TrackedPoint): EventMessage {
	const values = Object.entries(scalars).map(([tag, value]) => ({ tag, simple_value: value }));
	return summaryOf(time / 1000, step, values);
}

function summaryOf(seconds: number, step: number, value: readonly SummaryValue[]): EventMessage {
	return { wall_time: seconds, step, summary: { value } };
}

function startOf({ config }: TrackedRun, seconds: number): HParamsData {
	const hparams = Object.fromEntries(trackedSettings(config).map(([name, value]) => [name, hparamOf(value)]));
	return { session_start_info: { hparams, start_time_secs: seconds } };
}

function hparamOf(value: string | number | boolean): object {
	if (typeof value === "number") return { number_value: value };
	return typeof value === "string" ? { string_value: value } : { bool_value: value };
}
