//! Functions of one variable that become tables.

/// A function of one real variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
        }
    }

    /// The value at `x`.
    pub(crate) fn at(self, x: f64) -> f64 {
        match self {
            Self::Sigmoid => 1.0 / (1.0 + (-x).exp()),
            Self::Tanh => x.tanh(),
            Self::Exp => x.exp(),
            Self::Ln => x.ln(),
            Self::Erf => erf(x),
            Self::Gelu => 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2)),
            Self::GeluTanh => {
                let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x * x * x);
                0.5 * x * (1.0 + inner.tanh())
            }
            Self::Silu => x / (1.0 + (-x).exp()),
            Self::Sqrt => x.max(0.0).sqrt(),
            Self::Rsqrt => 1.0 / x.sqrt(),
            Self::Recip => 1.0 / x,
            Self::HardSwish => x * (x / 6.0 + 0.5).clamp(0.0, 1.0),
        }
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

/// The error function: its Taylor series near zero, the continued fraction of its complement far out.
fn erf(x: f64) -> f64 {
    let a = x.abs();
    if a < 2.5 {
        let (mut term, mut sum, mut n) = (a, a, 0.0);
        while term.abs() > 1e-17 * sum.abs() {
            n += 1.0;
            term *= -a * a / n;
            sum += term / (2.0 * n + 1.0);
        }
        return x.signum() * sum * 2.0 / std::f64::consts::PI.sqrt();
    }
    let tail = (1..=60).rev().fold(a, |f, k| a + f64::from(k) / 2.0 / f);
    x.signum() * (1.0 - (-a * a).exp() / (tail * std::f64::consts::PI.sqrt()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_function_matches_published_values() {
        // Abramowitz and Stegun, table 7.1.
        for (x, want) in [(0.5, 0.520_499_877_8), (1.0, 0.842_700_792_9), (2.0, 0.995_322_265_0)] {
            assert!((erf(x) - want).abs() < 1e-9 && (erf(-x) + want).abs() < 1e-9);
        }
        assert!((erf(2.4999) - erf(2.5001)).abs() < 1e-6, "the two forms meet");
        assert!((erf(3.0) - 0.999_977_909_5).abs() < 1e-9);
    }
}
