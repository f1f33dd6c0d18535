import { realClock } from "../../shared/clock.ts";
import type { TlsFiles } from "../../shared/rpc/credentials.ts";
import type { ClassifierEngine } from "../classify/classifier.ts";
import type { OpenCluster } from "../cluster/cluster.ts";
import { SERVE_DRAIN_MS, SERVE_FLUSH_MS } from "../deadlines.ts";
import { listenHttp } from "../http/listen-http.ts";
import { createServer } from "../rpc/server.ts";
import { httpApp } from "./http.ts";
import { InFlightCalls } from "./in-flight-calls.ts";
import { createLog, type Log } from "./log.ts";
import { ServeMetrics } from "./metrics.ts";
import { ModelHost } from "./model-host.ts";
import { readTokens } from "./read-tokens.ts";
import type { ServeOptions } from "./serve-options.ts";
import { classifierService } from "./service.ts";
import { standardServices } from "./standard-services.ts";

export interface ServeParts {
	/** Result folder of a run, which may still be training. */
	readonly run: string;
	readonly options: ServeOptions;
	readonly engine: ClassifierEngine;
	readonly openCluster: OpenCluster;
	/** Most batches in flight, of all workers together. */
	readonly shards: number;
}

/** A running server. */
export interface Serving {
	/** HOST:PORT of gRPC, and of HTTP if it was requested. */
	readonly address: string;
	readonly httpAddress: string | undefined;
	/** Resolves when the run's model is loaded, or if it has none yet; rejects if the model can't be used. */
	readonly ready: Promise<void>;
	/** Refuses new calls, answers the unfinished ones and stops: within 10 seconds, or 15 if NATS doesn't answer. */
	drain(): Promise<void>;
}

/**
 * Serves the model of a run by gRPC and HTTP. It listens before the model is loaded; until then health is NOT_SERVING.
 * @throws TailtuneError if an option can't be used; then nothing listens
 */
export async function serve(parts: ServeParts): Promise<Serving> {
	const { run, options } = parts;
	const log = createLog(options.logLevel);
	const tls = tlsOf(options);
	const tokens = options.tokenFile === undefined ? undefined : await readTokens(options.tokenFile);
	const metrics = new ServeMetrics(() => host.models);
	const calls = new InFlightCalls(metrics, log);
	const standard = standardServices();
	const isServing = () => host.current !== undefined && !calls.draining.aborted;
	const host = openHost(parts, { metrics, log, onModel: () => standard.setServing(isServing()) });
	const service = { host, calls, log, logTexts: options.logTexts };
	const server = await createServer(
		{ listen: options.listen, flag: "--listen", tls, tokens, onRefused: (reason) => metrics.refused(reason) },
		[classifierService(service), ...standard.services],
	);
	const onlyLoopback = tokens === undefined && tls === undefined;
	const app = httpApp({ ...service, metrics, tokens, onlyLoopback, cors: options.cors, isServing });
	const place = options.http === undefined ? undefined : { address: options.http, flag: "--http" };
	const listening = place && listenHttp(app, place, tls, tokens !== undefined);
	const http = await listening?.catch(async (error) => {
		await server.close();
		throw error;
	});
	log.info({ grpc: server.address, http: http?.address, run }, "listening");
	const drain = async () => {
		log.info("draining");
		standard.setServing(false);
		const left = await calls.drain(SERVE_DRAIN_MS);
		if (left > 0) log.warn({ calls: left }, "calls cut off");
		await Promise.all([server.close(SERVE_FLUSH_MS), http?.close()]);
		await host.close();
		log.info("ended");
	};
	return { address: server.address, httpAddress: http?.address, ready: host.start(), drain };
}

function openHost(
	{ run, options, ...parts }: ServeParts,
	{ metrics, log, onModel }: { metrics: ServeMetrics; log: Log; onModel: () => void },
): ModelHost {
	const host: ModelHost = new ModelHost({
		run,
		open: ModelHost.opener({
			...parts,
			limits: options,
			onBatch: (...batch) => metrics.batch(...batch),
			onFault: (error) => host.reopen(error),
		}),
		clock: realClock,
		log,
		onModel: (outcome) => {
			metrics.model(outcome);
			onModel();
		},
	});
	return host;
}

function tlsOf({ tlsCert, tlsKey, tlsCa }: ServeOptions): TlsFiles | undefined {
	return tlsCert === undefined ? undefined : { certFile: tlsCert, keyFile: tlsKey, caFile: tlsCa };
}
