//! Graph, shapes, autodiff, passes, memory plan, program, optimizers
