//! One function, compiled here for every type of numbers.
//!
//! Generic functions are compiled where they are called: in every crate again, with that crate's options, and the loops
//! of all levels with them. [`per_element!`] compiles both types in this crate; callers only choose.

/// Declares `fn name<E: Element>(…)`, written `fn name[E](…)`.
macro_rules! per_element {
    ($(#[$about:meta])* $visible:vis fn $name:ident[$element:ident]($($argument:ident: $type:ty),* $(,)?) $body:block) => {
        $(#[$about])*
        $visible fn $name<$element: $crate::Element>($($argument: $type),*) {
            fn body<$element: $crate::Element>($($argument: $type),*) $body

            // Functions without types to choose are compiled where they are written; inlined, they would not be.
            #[inline(never)]
            fn of_f32() -> *const () {
                type $element = f32;
                let body: fn($($type),*) = body::<f32>;
                body as *const ()
            }

            #[inline(never)]
            fn of_bf16() -> *const () {
                type $element = $crate::Bf16;
                let body: fn($($type),*) = body::<$crate::Bf16>;
                body as *const ()
            }

            let body = match $element::PRECISION {
                $crate::Precision::F32 => of_f32(),
                $crate::Precision::Bf16 => of_bf16(),
            };
            // SAFETY: the trait is sealed, so that the element is the type that its precision names: the function is one
            // of these very arguments.
            let body: fn($($type),*) = unsafe { std::mem::transmute(body) };
            body($($argument),*);
        }
    };
}

pub(crate) use per_element;
