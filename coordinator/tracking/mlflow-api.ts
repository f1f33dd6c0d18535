import { z } from "zod";
import { systemCodeOf, TailtuneError } from "../../shared/errors.ts";
import { MLFLOW_ANSWER_MS } from "../deadlines.ts";
import { TimeLimit } from "../time-limit.ts";

/** Longest answer that is read, in bytes. */
const MOST_ANSWER_BYTES = 4 << 20;

const refusalSchema = z.object({ error_code: z.string(), message: z.string() });

/**
 * Calls the REST API of an MLflow server, with the credentials of MLflow's own tools. Each call throws a TailtuneError
 * "offline" that names the address and the reason if there is no valid answer within MLFLOW_ANSWER_MS.
 */
export class MlflowApi {
	readonly #address: string;
	readonly #signal: AbortSignal;
	readonly #answerMs: number;

	/**
	 * @param address for example http://127.0.0.1:5000
	 * @param signal ends all calls
	 * @param answerMs default: MLFLOW_ANSWER_MS
	 * @throws TailtuneError "usage" if it isn't such an address, or contains a password
	 */
	constructor(address: string, signal: AbortSignal, answerMs = MLFLOW_ANSWER_MS) {
		const url = URL.canParse(address) ? new URL(address) : undefined;
		if (url?.username || url?.password)
			throw new TailtuneError("usage", "--mlflow: an address with a password, expected it in MLFLOW_TRACKING_PASSWORD");
		if (!url || !/^https?:$/.test(url.protocol))
			throw new TailtuneError("usage", `--mlflow ${address}: expected an address, for example http://127.0.0.1:5000`);
		this.#address = `${url.origin}${url.pathname}`.replace(/\/+$/, "");
		this.#signal = signal;
		this.#answerMs = answerMs;
	}

	/** Reads something by a GET. @returns undefined if it doesn't exist */
	async find<T>(answer: z.ZodType<T>, path: string): Promise<T | undefined> {
		const { json, status } = await this.#request(path);
		if (refusalSchema.safeParse(json).data?.error_code === "RESOURCE_DOES_NOT_EXIST") return undefined;
		return this.#read(answer, json, status);
	}

	/** Sends a POST. */
	async call<T>(answer: z.ZodType<T>, path: string, body: object): Promise<T> {
		const { json, status } = await this.#request(path, { method: "POST", body: JSON.stringify(body) });
		return this.#read(answer, json, status);
	}

	#read<T>(answer: z.ZodType<T>, json: unknown, status: number): T {
		const { data, success } = answer.safeParse(json);
		if (status === 200 && success) return data;
		if (status === 200) throw this.#error("doesn't answer as an MLflow server");
		const reason = refusalSchema.safeParse(json).data?.message.replaceAll(/\s+/g, " ").slice(0, 200);
		throw this.#error(`answers with status ${status}${reason ? ` (${reason})` : ""}`);
	}

	async #request(path: string, post: RequestInit = {}): Promise<{ status: number; json: unknown }> {
		const limit = new TimeLimit(this.#answerMs, this.#signal);
		try {
			const options: RequestInit = { ...post, headers: requestHeaders(), redirect: "manual", signal: limit.signal };
			const response = await fetch(`${this.#address}/api/2.0/mlflow/${path}`, options);
			return { status: response.status, json: await readJson(response) };
		} catch (cause) {
			if (limit.isOver) throw this.#error(`gives no answer within ${this.#answerMs / 1000} seconds`, cause);
			throw this.#error(`can't be reached (${reasonOf(cause as Error)})`, cause);
		} finally {
			limit.end();
		}
	}

	#error(problem: string, cause?: unknown): TailtuneError {
		return new TailtuneError("offline", `--mlflow ${this.#address} ${problem}`, { cause });
	}
}

/** Returns the reason of an error of fetch, which is in its cause; for a name with several addresses it is a code. */
function reasonOf({ cause, message }: Error): string {
	return (cause instanceof Error && cause.message) || (systemCodeOf(cause) ?? message);
}

/** A name and a password are used before a token, as MLflow's own tools do. */
function requestHeaders(): Record<string, string> {
	const { MLFLOW_TRACKING_USERNAME: name, MLFLOW_TRACKING_PASSWORD: password, MLFLOW_TRACKING_TOKEN } = process.env;
	const basic = name && password && `Basic ${Buffer.from(`${name}:${password}`).toString("base64")}`;
	const authorization = basic || (MLFLOW_TRACKING_TOKEN && `Bearer ${MLFLOW_TRACKING_TOKEN}`);
	return { "Content-Type": "application/json", ...(authorization && { Authorization: authorization }) };
}

/** Reads an answer. @returns undefined if it isn't JSON, or is too long */
async function readJson(response: Response): Promise<unknown> {
	const chunks: Uint8Array[] = [];
	let bytes = 0;
	for await (const chunk of response.body ?? []) {
		bytes += chunk.length;
		if (bytes > MOST_ANSWER_BYTES) return undefined;
		chunks.push(chunk);
	}
	try {
		return JSON.parse(Buffer.concat(chunks).toString("utf8"));
	} catch {
		return undefined;
	}
}
