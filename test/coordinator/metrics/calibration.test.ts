import test from "ava";
import fc from "fast-check";
import { fitTemperature, measureReliability } from "../../../coordinator/metrics/calibration.ts";
import { LABELS, LOGITS } from "./four-classes.ts";

test("the temperature is the minimum of the cross-entropy that SciPy finds, and scales with the logits", (t) => {
	// scipy.optimize.minimize_scalar(bounded, xatol=1e-12)
	t.true(Math.abs(fitTemperature(LOGITS, LABELS, 4) - 0.5269376281198841) < 1e-6);
	const larger = LOGITS.map((logit) => 3 * logit);
	t.true(Math.abs(fitTemperature(larger, LABELS, 4) - 1.580812882453991) < 1e-6);
});

test("the temperature is 1 if every prediction is right, and stays in its range if no prediction is better than chance", (t) => {
	t.is(fitTemperature([3, 0, 0, 3], [0, 1], 2), 1);
	t.true(Math.abs(fitTemperature([3, 0, 0, 3], [1, 0], 2) - 20) < 1e-9);
});

test("the expected calibration error of 15 bins is that of NumPy", (t) => {
	t.true(Math.abs(measureReliability(LOGITS, LABELS, 4, 1).error - 0.1850671361670047) < 1e-9);
	const { error, bins } = measureReliability(LOGITS, LABELS, 4, 0.5269376281198841);
	t.true(Math.abs(error - 0.1234908720146058) < 1e-6);
	t.is(bins.length, 15);
});

test("each text is in one bin, whose mean probability lies in its range", (t) => {
	const logit = fc.double({ min: -40, max: 40, noNaN: true });
	fc.assert(
		fc.property(fc.array(fc.tuple(logit, logit), { minLength: 1, maxLength: 40 }), (rows) => {
			const labels = rows.map((_, i) => i % 2);
			const { bins, error } = measureReliability(rows.flat(), labels, 2, 1);
			const counted = bins.reduce((total, { texts }) => total + texts, 0);
			const isWithin = bins.every(({ confidence }, i) => {
				const slack = 1e-9;
				return confidence === null || (confidence >= i / 15 - slack && confidence <= (i + 1) / 15 + slack);
			});
			return counted === rows.length && isWithin && error >= 0 && error <= 1;
		}),
	);
	t.pass();
});
