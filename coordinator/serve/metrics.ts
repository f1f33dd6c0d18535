import { status as Status } from "@grpc/grpc-js";
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from "prom-client";
import { REFUSALS, type RefusalReason } from "../../shared/rpc/refusal.ts";
import { toStatus } from "../../shared/rpc/status.ts";
import type { ServedModel } from "./served-model.ts";

const SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const TEXTS = [1, 2, 4, 8, 16, 32, 64, 128];

/** Name of a gRPC status, for example "RESOURCE_EXHAUSTED". */
export type StatusName = keyof typeof Status;

/** The server's metrics for Prometheus. */
export class ServeMetrics {
	readonly #registry = new Registry();
	readonly #registers = [this.#registry];
	readonly #requests = new Counter({
		name: "tailtune_requests_total",
		help: "Calls by method and gRPC status; HTTP counts as Classify",
		labelNames: ["method", "code"],
		registers: this.#registers,
	});
	readonly #seconds = new Histogram({
		name: "tailtune_request_seconds",
		help: "Seconds until a call that succeeded was answered",
		labelNames: ["method"],
		buckets: SECONDS,
		registers: this.#registers,
	});
	readonly #batches = new Histogram({
		name: "tailtune_batch_texts",
		help: "Texts computed together",
		buckets: TEXTS,
		registers: this.#registers,
	});
	readonly #tokens = new Counter({
		name: "tailtune_tokens_total",
		help: "Tokens sent to be computed",
		registers: this.#registers,
	});
	readonly #models = new Counter({
		name: "tailtune_models_total",
		help: "Models of the run that were loaded or refused",
		labelNames: ["outcome"],
		registers: this.#registers,
	});

	/** @param models the models in use: the one served, and older ones with unfinished calls */
	constructor(models: () => Iterable<ServedModel>) {
		const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
		this.#gauge("tailtune_queue_texts", "Texts that wait in the queue", () =>
			sum([...models()].map(({ queued }) => queued)),
		);
		this.#gauge("tailtune_workers", "Workers that compute", () =>
			Math.max(0, ...[...models()].map(({ slots }) => slots.workers)),
		);
		this.#gauge(
			"tailtune_models",
			"Models in use: the one served, and older ones with unfinished calls",
			() => [...models()].length,
		);
		collectDefaultMetrics({ register: this.#registry });
	}

	/** Counts a batch that was sent. */
	batch(texts: number, tokens: number): void {
		this.#batches.observe(texts);
		this.#tokens.inc(tokens);
	}

	/** Counts a model of the run that was loaded or refused. */
	model(outcome: "loaded" | "refused"): void {
		this.#models.inc({ outcome });
	}

	/** Counts a call that was refused by its headers. */
	refused(reason: RefusalReason): void {
		this.#requests.inc({ method: "", code: REFUSALS[reason].status });
	}

	/** Counts a finished call. @param error undefined if it succeeded */
	call(method: string, seconds: number, error?: unknown): StatusName {
		const code = error === undefined ? "OK" : (Status[toStatus(error).code] as StatusName);
		this.#requests.inc({ method, code });
		if (code === "OK") this.#seconds.observe({ method }, seconds);
		return code;
	}

	/** All metrics in Prometheus's text format, with its content type. */
	async text(): Promise<{ type: string; body: string }> {
		return { type: this.#registry.contentType, body: await this.#registry.metrics() };
	}

	#gauge(name: string, help: string, value: () => number): Gauge {
		const collect = function (this: Gauge) {
			this.set(value());
		};
		return new Gauge({ name, help, registers: this.#registers, collect });
	}
}
