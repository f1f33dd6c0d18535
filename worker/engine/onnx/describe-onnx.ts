import { TailtuneError } from "../../../shared/errors.ts";
import type { EngineInfo, EngineOptions } from "../engine.ts";
import { GraphBuilder } from "./graph-builder.ts";
import { PROVIDER_REQUIREMENTS, prepareProvider, providerOf } from "./provider.ts";
import { floats, OnnxSession, onnxInfo } from "./session.ts";

/**
 * Describes the device that ONNX Runtime will compute on. If this isn't the CPU, it first adds two numbers there as a
 * test.
 * @throws TailtuneError "engine" if that fails: there is no fallback
 */
export async function describeOnnx(options: EngineOptions): Promise<EngineInfo> {
	const provider = providerOf(options);
	if (provider) {
		prepareProvider(provider);
		await addOnce(options).catch((cause) => {
			const expected = `expected ${PROVIDER_REQUIREMENTS[provider]}`;
			throw new TailtuneError("engine", `onnx ${provider}: ${(cause as Error).message}, ${expected}`, { cause });
		});
	}
	return onnxInfo(options);
}

async function addOnce(options: EngineOptions): Promise<void> {
	const graph = new GraphBuilder("one sum");
	const one = graph.input("one", "float32", [1]);
	graph.output("sum", graph.op("Add", [one, one]), "float32", [1]);
	const session = await OnnxSession.open(graph.build(), options);
	await session.run({ one: floats(Float32Array.of(1), [1]) }, { sum: floats(new Float32Array(1), [1]) });
	await session.dispose();
}
