//! One loop, compiled for every level.
//!
//! A pass over memory needs no instructions by name: written as a plain loop over slices, the compiler makes vectors
//! of it, as wide as the function it stands in may use. [`per_level!`] puts the same body into one function a level
//! and calls the one that the [`Cpu`](crate::Cpu) holds the proof for.
//!
//! The bodies use no fused multiply-add and sum in an order that is written down (lanes of fixed number), so every
//! level and every machine gives the same bits. What a body calls must be `#[inline(always)]`: a function of its own
//! would be compiled for the plain level.

/// Declares `fn name(cpu: &Cpu, …)` whose body is compiled for every level; `fn name[F: Trait, G: Trait](…)` is generic in
/// `F` and `G`.
macro_rules! per_level {
    ($(#[$about:meta])* $visible:vis fn $name:ident $([$($generic:ident: $bound:path),+])? ($($argument:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$about])*
        $visible fn $name$(<$($generic: $bound),+>)?(cpu: &$crate::Cpu, $($argument: $type),*) {
            #[inline(always)]
            fn body$(<$($generic: $bound),+>)?($($argument: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2$(<$($generic: $bound),+>)?($($argument: $type),*) {
                body$(::<$($generic),+>)?($($argument),*);
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma,avx512f,avx512vl,avx512bw,avx512dq")]
            fn avx512$(<$($generic: $bound),+>)?($($argument: $type),*) {
                body$(::<$($generic),+>)?($($argument),*);
            }

            match cpu.level() {
                // SAFETY: a `Cpu` exists only for a level that its machine has.
                #[cfg(target_arch = "x86_64")]
                $crate::Level::Avx2 => unsafe { avx2$(::<$($generic),+>)?($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::Level::Avx512 => unsafe { avx512$(::<$($generic),+>)?($($argument),*) },
                // The vectors of AArch64 are part of its plain level.
                _ => body$(::<$($generic),+>)?($($argument),*),
            }
        }
    };
}

pub(crate) use per_level;

/// Declares `fn name(cpu: &Cpu, …)` whose body is generic in a [`Vector`](crate::simd::Vector) and runs with the level's:
/// `fn name[V][F: Trait](…)`. For what the compiler's own vectors are too slow. In the body the machine has the level of `V`.
macro_rules! per_vector {
    ($(#[$about:meta])* $visible:vis fn $name:ident[$vector:ident][$($generic:ident: $bound:path),+]($($argument:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$about])*
        $visible fn $name<$($generic: $bound),+>(cpu: &$crate::Cpu, $($argument: $type),*) {
            #[inline(always)]
            unsafe fn body<$vector: $crate::simd::Vector, $($generic: $bound),+>($($argument: $type),*) $body

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx2,fma")]
            fn avx2<$($generic: $bound),+>($($argument: $type),*) {
                // SAFETY: this function has the level's features.
                unsafe { body::<$crate::simd::F32x8, $($generic),+>($($argument),*) }
            }

            #[cfg(target_arch = "x86_64")]
            #[target_feature(enable = "avx512f")]
            fn avx512<$($generic: $bound),+>($($argument: $type),*) {
                // SAFETY: this function has the level's features.
                unsafe { body::<$crate::simd::F32x16, $($generic),+>($($argument),*) }
            }

            match cpu.level() {
                // SAFETY: a `Cpu` exists only for a level that its machine has.
                #[cfg(target_arch = "x86_64")]
                $crate::Level::Avx2 => unsafe { avx2::<$($generic),+>($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "x86_64")]
                $crate::Level::Avx512 => unsafe { avx512::<$($generic),+>($($argument),*) },
                // SAFETY: as above.
                #[cfg(target_arch = "aarch64")]
                $crate::Level::Neon => unsafe { body::<$crate::simd::F32x4, $($generic),+>($($argument),*) },
                // SAFETY: plain Rust needs no level.
                _ => unsafe { body::<$crate::simd::Lanes<4>, $($generic),+>($($argument),*) },
            }
        }
    };
}

pub(crate) use per_vector;
