//! Functions of one variable that become tables. They are computed in software, so that tables are the same on
//! every machine.

use libm::{erf, exp, log, tanh};

/// A function of one real variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Function {
    /// `1 / (1 + e^-x)`.
    Sigmoid,
    /// Hyperbolic tangent.
    Tanh,
    /// `e^x`.
    Exp,
    /// Natural logarithm.
    Ln,
    /// Error function.
    Erf,
    /// `x · Φ(x)` with the normal distribution function.
    Gelu,
    /// GELU by its hyperbolic approximation.
    GeluTanh,
    /// `x · sigmoid(x)`.
    Silu,
    /// Square root.
    Sqrt,
    /// `1 / √x`.
    Rsqrt,
    /// `1 / x`.
    Recip,
    /// `x · min(max(x/6 + 1/2, 0), 1)`.
    HardSwish,
    /// Sine.
    Sin,
    /// Cosine.
    Cos,
    /// Arc tangent.
    Atan,
    /// Hyperbolic sine.
    Sinh,
    /// Hyperbolic cosine.
    Cosh,
    /// Inverse hyperbolic sine.
    Asinh,
    /// `ln(1 + e^x)`.
    Softplus,
    /// `x / (1 + |x|)`.
    Softsign,
    /// `x · tanh(ln(1 + e^x))`.
    Mish,
}

impl Function {
    /// Name for messages and tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Sigmoid => "sigmoid",
            Self::Tanh => "tanh",
            Self::Exp => "exp",
            Self::Ln => "ln",
            Self::Erf => "erf",
            Self::Gelu => "gelu",
            Self::GeluTanh => "gelu_tanh",
            Self::Silu => "silu",
            Self::Sqrt => "sqrt",
            Self::Rsqrt => "rsqrt",
            Self::Recip => "reciprocal",
            Self::HardSwish => "hard_swish",
            Self::Sin => "sin",
            Self::Cos => "cos",
            Self::Atan => "atan",
            Self::Sinh => "sinh",
            Self::Cosh => "cosh",
            Self::Asinh => "asinh",
            Self::Softplus => "softplus",
            Self::Softsign => "softsign",
            Self::Mish => "mish",
        }
    }

    /// The value at `x`.
    pub(crate) fn at(self, x: f64) -> f64 {
        match self {
            Self::Sigmoid => 1.0 / (1.0 + exp(-x)),
            Self::Tanh => tanh(x),
            Self::Exp => exp(x),
            Self::Ln => log(x),
            Self::Erf => erf(x),
            Self::Gelu => 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)),
            Self::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                0.5 * x * (1.0 + tanh(inner))
            }
            Self::Silu => x / (1.0 + exp(-x)),
            Self::Sqrt => x.max(0.0).sqrt(),
            Self::Rsqrt => 1.0 / x.sqrt(),
            Self::Recip => 1.0 / x,
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
            Self::Sin => libm::sin(x),
            Self::Cos => libm::cos(x),
            Self::Atan => libm::atan(x),
            Self::Sinh => libm::sinh(x),
            Self::Cosh => libm::cosh(x),
            Self::Asinh => libm::asinh(x),
            Self::Softplus => x.max(0.0) + libm::log1p(exp(-x.abs())),
            Self::Softsign => x / (1.0 + x.abs()),
            Self::Mish => x * tanh(Self::Softplus.at(x)),
        }
    }

    /// Largest slope between two arguments, within a factor of two; 1 where it is less, or has no bound.
    pub(crate) fn steepest(self, lo: f64, hi: f64) -> f64 {
        let slope = match self {
            Self::Ln => 1.0 / lo,
            Self::Recip => 1.0 / lo.abs().min(hi.abs()).powi(2),
            Self::Sqrt => 0.5 / lo.sqrt(),
            Self::Rsqrt => 0.5 / (lo * lo.sqrt()),
            Self::Exp => exp(hi),
            Self::Sinh | Self::Cosh => exp(lo.abs().max(hi.abs())) / 2.0,
            _ => 1.0,
        };
        if slope.is_finite() { slope.max(1.0) } else { 1.0 }
    }

    /// Real range beyond which the function is flat to 20 bits, so that a table may as well reach that far.
    pub(crate) fn flat_beyond(self) -> Option<f64> {
        match self {
            Self::Sigmoid => Some(14.0),
            Self::Tanh => Some(7.5),
            Self::Erf => Some(3.75),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_the_published_ones() {
        // Abramowitz and Stegun, tables 4.4 and 7.1.
        assert!((Function::Erf.at(0.5) - 0.520_499_877_8).abs() < 1e-10);
        assert!((Function::Exp.at(2.0) - 7.389_056_098_930_65).abs() < 1e-14);
        assert!((Function::Sigmoid.at(0.0) - 0.5).abs() < 1e-15);
        assert!((Function::Gelu.at(2.0) - 1.954_499_736).abs() < 1e-8);
        assert!((Function::HardSwish.at(-4.0)).abs() < 1e-15);
    }

    #[test]
    fn slopes_are_those_of_the_functions() {
        let all = [
            (Function::Ln, 0.125, 4.0),
            (Function::Recip, 0.25, 3.0),
            (Function::Recip, -3.0, -0.25),
            (Function::Sqrt, 0.01, 9.0),
            (Function::Rsqrt, 0.125, 9.0),
            (Function::Exp, -9.0, 3.0),
            (Function::Sinh, -3.0, 2.0),
            (Function::Cosh, -2.0, 3.0),
            (Function::Gelu, -9.0, 9.0),
            (Function::Mish, -9.0, 9.0),
            (Function::Sigmoid, -9.0, 9.0),
        ];
        for (f, lo, hi) in all {
            let step = (hi - lo) / 10_000.0;
            let slope =
                |k: i32| (f.at(lo + f64::from(k + 1) * step) - f.at(lo + f64::from(k) * step)).abs() / step;
            let measured = (0..10_000).map(slope).fold(1.0, f64::max);
            let stated = f.steepest(lo, hi);
            assert!(
                (0.5..=2.0).contains(&(stated / measured)),
                "{}: {stated}, {measured} measured",
                f.name()
            );
        }
        assert_eq!(Function::Sqrt.steepest(0.0, 1.0), 1.0);
    }

    #[test]
    fn flat_functions_are_flat_where_they_say() {
        for f in [Function::Sigmoid, Function::Tanh, Function::Erf] {
            let end = f.flat_beyond().expect("flat");
            assert!((f.at(end) - f.at(2.0 * end)).abs() < 1.0 / f64::from(1 << 19), "{}", f.name());
        }
    }
}
