import { getKernel, type KernelFunc, registerKernel, type TensorInfo, unregisterKernel } from "@tensorflow/tfjs";

/** The part of the wasm backend that a kernel needs. */
interface WasmBackend {
	disposeData(id: TensorInfo["dataId"]): boolean;
}

interface Flags {
	readonly transposeA: boolean;
	readonly transposeB: boolean;
}

type Multiply = (a: TensorInfo, b: TensorInfo, flags: Flags) => TensorInfo;

const KERNEL = "BatchMatMul";
/** From this number of multiplications per product, single products are faster than a stack of them. */
const LARGE_PRODUCT = 2 ** 18;
let registered = false;

/**
 * Registers a matrix product for the wasm backend that uses only the fast path of tfjs-backend-wasm's own product: two
 * single matrices without transpose flags. Its slow path takes about 10 times as long.
 */
export function registerWasmMatMul(): void {
	if (registered) return;
	registered = true;
	const original = getKernel(KERNEL, "wasm");
	unregisterKernel(KERNEL, "wasm");
	const kernelFunc: KernelFunc = ({ inputs, backend, attrs }) => {
		const { a, b } = inputs as { a: TensorInfo; b: TensorInfo };
		const flags = attrs as unknown as Flags;
		const multiply: Multiply = (left, right, { transposeA, transposeB }) =>
			original.kernelFunc({ inputs: { a: left, b: right }, backend, attrs: { transposeA, transposeB } }) as TensorInfo;
		const kernels = kernelsOf(backend as WasmBackend);
		if (countOf(a) === 1 && countOf(b) === 1) return multiplyOne(a, b, flags, multiply, kernels);
		return isFasterOneByOne(a, b, flags) ? multiplyMany(a, b, flags, multiply, kernels) : multiply(a, b, flags);
	};
	registerKernel({ ...original, kernelFunc });
}

/** Splitting a stack costs about half a millisecond per matrix, so it pays only for large ones. */
function isFasterOneByOne(a: TensorInfo, b: TensorInfo, { transposeA, transposeB }: Flags): boolean {
	const inner = a.shape.at(transposeA ? -2 : -1) ?? 1;
	const multiplications = (sizeOf(a) * sizeOf(b)) / (countOf(a) * countOf(b) * inner);
	return countOf(a) === countOf(b) && (transposeA || transposeB) && multiplications >= LARGE_PRODUCT;
}

interface Kernels {
	transpose(x: TensorInfo): TensorInfo;
	slice(x: TensorInfo, index: number): TensorInfo;
	stack(parts: readonly TensorInfo[]): TensorInfo;
	dispose(x: TensorInfo): void;
}

/** Computes the products of two stacks one by one and stacks them. */
function multiplyMany(a: TensorInfo, b: TensorInfo, flags: Flags, multiply: Multiply, kernels: Kernels): TensorInfo {
	const products = Array.from({ length: countOf(a) }, (_, i) => {
		const [left, right] = [kernels.slice(a, i), kernels.slice(b, i)];
		const product = multiplyOne(left, right, flags, multiply, kernels);
		kernels.dispose(left);
		kernels.dispose(right);
		return product;
	});
	const stacked = kernels.stack(products);
	for (const product of products) kernels.dispose(product);
	return { ...stacked, shape: [...a.shape.slice(0, -2), ...stacked.shape.slice(-2)] };
}

/** Computes one product. Factors with a transpose flag are transposed first. */
function multiplyOne(a: TensorInfo, b: TensorInfo, flags: Flags, multiply: Multiply, kernels: Kernels): TensorInfo {
	const plain = { transposeA: false, transposeB: false };
	if (flags.transposeA) {
		const left = kernels.transpose(a);
		const product = multiplyOne(left, b, { ...flags, transposeA: false }, multiply, kernels);
		kernels.dispose(left);
		return product;
	}
	if (!flags.transposeB) return multiply(a, b, plain);
	// A B' = (B A')': transposes the product and the smaller factor.
	const swap = sizeOf(a) < sizeOf(b);
	const right = kernels.transpose(swap ? a : b);
	const product = multiply(swap ? b : a, right, plain);
	kernels.dispose(right);
	if (!swap) return product;
	const transposed = kernels.transpose(product);
	kernels.dispose(product);
	return transposed;
}

function kernelsOf(backend: WasmBackend): Kernels {
	const call = (name: string, inputs: object, attrs: Record<string, number | number[]>) =>
		getKernel(name, "wasm").kernelFunc({ inputs: inputs as Record<string, TensorInfo>, backend, attrs }) as TensorInfo;
	return {
		transpose(x) {
			const axes = x.shape.map((_, axis) => axis);
			return call("Transpose", { x }, { perm: [...axes.slice(0, -2), axes.length - 1, axes.length - 2] });
		},
		slice(x, index) {
			const [rows = 1, columns = 1] = x.shape.slice(-2);
			const flat = { ...x, shape: [countOf(x) * rows, columns] };
			return call("Slice", { x: flat }, { begin: [index * rows, 0], size: [rows, columns] });
		},
		stack(parts) {
			const flat = parts.map((part) => ({ ...part, shape: [1, ...part.shape.slice(-2)] }));
			return call("Concat", flat, { axis: 0 });
		},
		dispose: ({ dataId }) => backend.disposeData(dataId),
	};
}

/** Counts the matrices in a tensor. */
function countOf({ shape }: TensorInfo): number {
	return shape.slice(0, -2).reduce((product, size) => product * size, 1);
}

function sizeOf({ shape }: TensorInfo): number {
	return shape.reduce((product, size) => product * size, 1);
}
