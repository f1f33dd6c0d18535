;; The loops over millions of float32 numbers, four at a time; vector-kernels.ts calls them.
;; Addresses and sizes are in bytes; a size is a multiple of 16 and not 0.
;; Each operation is rounded to float32 on its own, so that every machine gets the same bits.
(module
	(import "vectors" "memory" (memory 1 65536 shared))

	;; g = scale * g, only in the following lines
	;; m = beta1 * m + share1 * g
	;; v = beta2 * v + share2 * g * g
	;; p = p - (decay * p + step * m / (sqrt(v) + epsilon))
	;; Moments too small to move a parameter become 0: fading on for ever as subnormal numbers they make a step 40 times slower.
	;; 0 where all of v is finite, as after finite gradients. Found as by findNotFinite.
	(func (export "stepAdamW")
		(param $bytes i32) (param $p i32) (param $m i32) (param $v i32) (param $g i32)
		(param $beta1 f32) (param $share1 f32) (param $beta2 f32) (param $share2 f32)
		(param $decay f32) (param $step f32) (param $epsilon f32) (param $scale f32)
		(result i32)
		(local $parameter v128) (local $gradient v128) (local $mean v128) (local $square v128) (local $marks v128)
		(local $beta1s v128) (local $share1s v128) (local $beta2s v128) (local $share2s v128)
		(local $decays v128) (local $steps v128) (local $epsilons v128) (local $scales v128)
		;; Outside of the loop: the compiler leaves them where they are.
		(local.set $beta1s (f32x4.splat (local.get $beta1)))
		(local.set $share1s (f32x4.splat (local.get $share1)))
		(local.set $beta2s (f32x4.splat (local.get $beta2)))
		(local.set $share2s (f32x4.splat (local.get $share2)))
		(local.set $decays (f32x4.splat (local.get $decay)))
		(local.set $steps (f32x4.splat (local.get $step)))
		(local.set $epsilons (f32x4.splat (local.get $epsilon)))
		(local.set $scales (f32x4.splat (local.get $scale)))
		(loop $next
			(local.set $gradient (f32x4.mul (local.get $scales) (v128.load (local.get $g))))
			(local.set $mean (f32x4.add
				(f32x4.mul (local.get $beta1s) (v128.load (local.get $m)))
				(f32x4.mul (local.get $share1s) (local.get $gradient))))
			(local.set $square (f32x4.add
				(f32x4.mul (local.get $beta2s) (v128.load (local.get $v)))
				(f32x4.mul
					(f32x4.mul (local.get $share2s) (local.get $gradient))
					(local.get $gradient))))
			(local.set $mean (v128.andnot (local.get $mean)
				(f32x4.lt (f32x4.abs (local.get $mean)) (f32x4.splat (f32.const 1e-30)))))
			(local.set $square (v128.andnot (local.get $square)
				(f32x4.lt (local.get $square) (f32x4.splat (f32.const 0x1p-126)))))
			(v128.store (local.get $m) (local.get $mean))
			(v128.store (local.get $v) (local.get $square))
			(local.set $marks (v128.or (local.get $marks) (i32x4.add
				(v128.and (local.get $square) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))
				(v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000))))
			(local.set $parameter (v128.load (local.get $p)))
			(v128.store (local.get $p) (f32x4.sub
				(local.get $parameter)
				(f32x4.add
					(f32x4.mul (local.get $decays) (local.get $parameter))
					(f32x4.div
						(f32x4.mul (local.get $steps) (local.get $mean))
						(f32x4.add (f32x4.sqrt (local.get $square)) (local.get $epsilons))))))
			(local.set $p (i32.add (local.get $p) (i32.const 16)))
			(local.set $m (i32.add (local.get $m) (i32.const 16)))
			(local.set $v (i32.add (local.get $v) (i32.const 16)))
			(local.set $g (i32.add (local.get $g) (i32.const 16)))
			(br_if $next (local.tee $bytes (i32.sub (local.get $bytes) (i32.const 16)))))
		(i32x4.bitmask (local.get $marks)))

	;; total = total + weight * x
	(func (export "addWeighted") (param $bytes i32) (param $total i32) (param $x i32) (param $weight f32)
		(local $i i32) (local $at i32)
		(loop $next
			(local.set $at (i32.add (local.get $total) (local.get $i)))
			(v128.store (local.get $at) (f32x4.add
				(v128.load (local.get $at))
				(f32x4.mul (f32x4.splat (local.get $weight)) (v128.load (i32.add (local.get $x) (local.get $i))))))
			(local.set $i (i32.add (local.get $i) (i32.const 16)))
			(br_if $next (i32.lt_u (local.get $i) (local.get $bytes)))))

	;; 0 where all are finite. NaN and infinities have all bits of the exponent set: only there the sum reaches the sign bit.
	(func (export "findNotFinite") (param $bytes i32) (param $x i32) (result i32)
		(local $i i32) (local $marks v128)
		(loop $next
			(local.set $marks (v128.or (local.get $marks) (i32x4.add
				(v128.and (v128.load (i32.add (local.get $x) (local.get $i))) (v128.const i32x4 0x7fffffff 0x7fffffff 0x7fffffff 0x7fffffff))
				(v128.const i32x4 0x00800000 0x00800000 0x00800000 0x00800000))))
			(local.set $i (i32.add (local.get $i) (i32.const 16)))
			(br_if $next (i32.lt_u (local.get $i) (local.get $bytes))))
		(i32x4.bitmask (local.get $marks)))

	;; The sum of hashes of the numbers' bits. A hash depends on the position as well; at each position it is a bijection,
	;; because each operation is one, so that another number always gives another hash.
	;; x = bits + 0x9e3779b9 * position; x ^= x >> 16; x *= 0x85ebca6b; x ^= x >> 13; x *= 0xc2b2ae35; x ^= x >> 16
	(func (export "sumHashes") (param $bytes i32) (param $numbers i32) (param $position i32) (result i32)
		(local $i i32) (local $keys v128) (local $hash v128) (local $sum v128)
		(local.set $keys (i32x4.mul
			(i32x4.add (i32x4.splat (i32.shr_u (local.get $position) (i32.const 2))) (v128.const i32x4 0 1 2 3))
			(v128.const i32x4 0x9e3779b9 0x9e3779b9 0x9e3779b9 0x9e3779b9)))
		(loop $next
			(local.set $hash (i32x4.add (v128.load (i32.add (local.get $numbers) (local.get $i))) (local.get $keys)))
			(local.set $hash (i32x4.mul
				(v128.xor (local.get $hash) (i32x4.shr_u (local.get $hash) (i32.const 16)))
				(v128.const i32x4 0x85ebca6b 0x85ebca6b 0x85ebca6b 0x85ebca6b)))
			(local.set $hash (i32x4.mul
				(v128.xor (local.get $hash) (i32x4.shr_u (local.get $hash) (i32.const 13)))
				(v128.const i32x4 0xc2b2ae35 0xc2b2ae35 0xc2b2ae35 0xc2b2ae35)))
			(local.set $hash (v128.xor (local.get $hash) (i32x4.shr_u (local.get $hash) (i32.const 16))))
			(local.set $sum (i32x4.add (local.get $sum) (local.get $hash)))
			;; 4 * 0x9e3779b9 modulo 2^32
			(local.set $keys (i32x4.add (local.get $keys) (v128.const i32x4 0x78dde6e4 0x78dde6e4 0x78dde6e4 0x78dde6e4)))
			(local.set $i (i32.add (local.get $i) (i32.const 16)))
			(br_if $next (i32.lt_u (local.get $i) (local.get $bytes))))
		(i32.add
			(i32.add (i32x4.extract_lane 0 (local.get $sum)) (i32x4.extract_lane 1 (local.get $sum)))
			(i32.add (i32x4.extract_lane 2 (local.get $sum)) (i32x4.extract_lane 3 (local.get $sum)))))

	;; Packs a factor for sumOuterProducts: for each group of numbers and each row its numbers of the group.
	(func (export "packFactor")
		(param $rows i32) (param $to i32) (param $from i32) (param $stride i32) (param $length i32) (param $group i32)
		(local $step i32) (local $i i32) (local $k i32) (local $at i32)
		(local.set $step (i32.mul (local.get $rows) (local.get $group)))
		(loop $nextRow
			(local.set $at (local.get $to))
			(local.set $i (i32.const 0))
			(loop $nextGroup
				(local.set $k (i32.const 0))
				(loop $next
					(v128.store (i32.add (local.get $at) (local.get $k))
						(v128.load (i32.add (i32.add (local.get $from) (local.get $i)) (local.get $k))))
					(local.set $k (i32.add (local.get $k) (i32.const 16)))
					(br_if $next (i32.lt_u (local.get $k) (local.get $group))))
				(local.set $at (i32.add (local.get $at) (local.get $step)))
				(local.set $i (i32.add (local.get $i) (local.get $group)))
				(br_if $nextGroup (i32.lt_u (local.get $i) (local.get $length))))
			(local.set $to (i32.add (local.get $to) (local.get $group)))
			(local.set $from (i32.add (local.get $from) (local.get $stride)))
			(br_if $nextRow (local.tee $rows (i32.sub (local.get $rows) (i32.const 1))))))

	;; target[i, j] = sum over r of left[r, i] * right[r, j]; the target's rows are $stride bytes apart.
	;; packFactor has packed left in groups of 4 rows, and right in groups of 8 columns.
	;; Computes 4 rows and 8 columns at a time, which fill the registers. $pass is the number of bytes of a row, a multiple
	;; of 32, whose part of right stays in the cache of the core while all rows use it.
	(func (export "sumOuterProducts")
		(param $rows i32) (param $target i32) (param $left i32) (param $right i32)
		(param $stride i32) (param $columns i32) (param $rank i32) (param $pass i32)
		(local $start i32) (local $end i32) (local $row i32) (local $column i32)
		(local $rowLeft i32) (local $rowEnd i32) (local $rowTarget i32) (local $x i32) (local $y i32) (local $to i32)
		(local $factor v128) (local $a v128) (local $b v128)
		(local $sum0a v128) (local $sum0b v128)
		(local $sum1a v128) (local $sum1b v128)
		(local $sum2a v128) (local $sum2b v128)
		(local $sum3a v128) (local $sum3b v128)
		(loop $nextPass
			(local.set $end (i32.add (local.get $start) (local.get $pass)))
			(if (i32.gt_u (local.get $end) (local.get $columns)) (then (local.set $end (local.get $columns))))
			(local.set $row (i32.const 0))
			(local.set $rowLeft (local.get $left))
			(local.set $rowTarget (local.get $target))
			(loop $nextRows
				(local.set $rowEnd (i32.add (local.get $rowLeft) (i32.mul (local.get $rank) (i32.const 16))))
				(local.set $column (local.get $start))
				(local.set $y (i32.add (local.get $right) (i32.mul (local.get $start) (local.get $rank))))
				(loop $nextColumns
					(local.set $x (local.get $rowLeft))
					;; The first product, then the others.
					(local.set $a (v128.load (local.get $y)))
					(local.set $b (v128.load offset=16 (local.get $y)))
					(local.set $factor (v128.load32_splat (local.get $x)))
					(local.set $sum0a (f32x4.mul (local.get $factor) (local.get $a)))
					(local.set $sum0b (f32x4.mul (local.get $factor) (local.get $b)))
					(local.set $factor (v128.load32_splat offset=4 (local.get $x)))
					(local.set $sum1a (f32x4.mul (local.get $factor) (local.get $a)))
					(local.set $sum1b (f32x4.mul (local.get $factor) (local.get $b)))
					(local.set $factor (v128.load32_splat offset=8 (local.get $x)))
					(local.set $sum2a (f32x4.mul (local.get $factor) (local.get $a)))
					(local.set $sum2b (f32x4.mul (local.get $factor) (local.get $b)))
					(local.set $factor (v128.load32_splat offset=12 (local.get $x)))
					(local.set $sum3a (f32x4.mul (local.get $factor) (local.get $a)))
					(local.set $sum3b (f32x4.mul (local.get $factor) (local.get $b)))
					(local.set $x (i32.add (local.get $x) (i32.const 16)))
					(local.set $y (i32.add (local.get $y) (i32.const 32)))
					(if (i32.lt_u (local.get $x) (local.get $rowEnd)) (then (loop $nextProduct
						(local.set $a (v128.load (local.get $y)))
						(local.set $b (v128.load offset=16 (local.get $y)))
						(local.set $factor (v128.load32_splat (local.get $x)))
						(local.set $sum0a (f32x4.add (local.get $sum0a) (f32x4.mul (local.get $factor) (local.get $a))))
						(local.set $sum0b (f32x4.add (local.get $sum0b) (f32x4.mul (local.get $factor) (local.get $b))))
						(local.set $factor (v128.load32_splat offset=4 (local.get $x)))
						(local.set $sum1a (f32x4.add (local.get $sum1a) (f32x4.mul (local.get $factor) (local.get $a))))
						(local.set $sum1b (f32x4.add (local.get $sum1b) (f32x4.mul (local.get $factor) (local.get $b))))
						(local.set $factor (v128.load32_splat offset=8 (local.get $x)))
						(local.set $sum2a (f32x4.add (local.get $sum2a) (f32x4.mul (local.get $factor) (local.get $a))))
						(local.set $sum2b (f32x4.add (local.get $sum2b) (f32x4.mul (local.get $factor) (local.get $b))))
						(local.set $factor (v128.load32_splat offset=12 (local.get $x)))
						(local.set $sum3a (f32x4.add (local.get $sum3a) (f32x4.mul (local.get $factor) (local.get $a))))
						(local.set $sum3b (f32x4.add (local.get $sum3b) (f32x4.mul (local.get $factor) (local.get $b))))
						(local.set $x (i32.add (local.get $x) (i32.const 16)))
						(local.set $y (i32.add (local.get $y) (i32.const 32)))
						(br_if $nextProduct (i32.lt_u (local.get $x) (local.get $rowEnd))))))
					(local.set $to (i32.add (local.get $rowTarget) (local.get $column)))
					(v128.store (local.get $to) (local.get $sum0a))
					(v128.store offset=16 (local.get $to) (local.get $sum0b))
					(local.set $to (i32.add (local.get $to) (local.get $stride)))
					(v128.store (local.get $to) (local.get $sum1a))
					(v128.store offset=16 (local.get $to) (local.get $sum1b))
					(local.set $to (i32.add (local.get $to) (local.get $stride)))
					(v128.store (local.get $to) (local.get $sum2a))
					(v128.store offset=16 (local.get $to) (local.get $sum2b))
					(local.set $to (i32.add (local.get $to) (local.get $stride)))
					(v128.store (local.get $to) (local.get $sum3a))
					(v128.store offset=16 (local.get $to) (local.get $sum3b))
					(local.set $column (i32.add (local.get $column) (i32.const 32)))
					(br_if $nextColumns (i32.lt_u (local.get $column) (local.get $end))))
				(local.set $rowLeft (local.get $rowEnd))
				(local.set $rowTarget (i32.add (local.get $rowTarget) (i32.mul (local.get $stride) (i32.const 4))))
				(local.set $row (i32.add (local.get $row) (i32.const 4)))
				(br_if $nextRows (i32.lt_u (local.get $row) (local.get $rows))))
			(local.set $start (local.get $end))
			(br_if $nextPass (i32.lt_u (local.get $start) (local.get $columns))))))
