;; The loops over millions of float32 numbers, four at a time; vector-kernels.ts calls them.
;; Addresses and sizes are in bytes; a size is a multiple of 16 and not 0.
;; Each operation is rounded to float32 on its own, so that every machine gets the same bits.
(module
	(import "vectors" "memory" (memory 1 65536 shared))

	;; m = beta1 * m + share1 * g
	;; v = beta2 * v + share2 * g * g
	;; p = p - (decay * p + step * m / (sqrt(v) + epsilon))
	;; Moments too small to move a parameter become 0: fading on for ever as subnormal numbers they make a step 40 times slower.
	;; 0 where all of v is finite, as after finite gradients. Found as by findNotFinite.
	(func (export "stepAdamW")
		(param $bytes i32) (param $p i32) (param $m i32) (param $v i32) (param $g i32)
		(param $beta1 f32) (param $share1 f32) (param $beta2 f32) (param $share2 f32)
		(param $decay f32) (param $step f32) (param $epsilon f32)
		(result i32)
		(local $parameter v128) (local $gradient v128) (local $mean v128) (local $square v128) (local $marks v128)
		(local $beta1s v128) (local $share1s v128) (local $beta2s v128) (local $share2s v128)
		(local $decays v128) (local $steps v128) (local $epsilons v128)
		;; Outside of the loop: the compiler leaves them where they are.
		(local.set $beta1s (f32x4.splat (local.get $beta1)))
		(local.set $share1s (f32x4.splat (local.get $share1)))
		(local.set $beta2s (f32x4.splat (local.get $beta2)))
		(local.set $share2s (f32x4.splat (local.get $share2)))
		(local.set $decays (f32x4.splat (local.get $decay)))
		(local.set $steps (f32x4.splat (local.get $step)))
		(local.set $epsilons (f32x4.splat (local.get $epsilon)))
		(loop $next
			(local.set $gradient (v128.load (local.get $g)))
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
		(i32x4.bitmask (local.get $marks))))
