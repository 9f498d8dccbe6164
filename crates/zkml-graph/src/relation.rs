//! Tensor relations: what must hold, as data that any back end can read.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{Bounds, Map, Trace};

/// A variable of the relation system. The first variables are the graph's tensors, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct VarId(pub u32);

/// Index of a table in its system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId(pub u32);

/// A tensor-shaped variable: a graph tensor, or an auxiliary value that an operator's relations need.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Var {
    /// Name for messages.
    pub name: String,
    /// Shape, row-major.
    pub shape: Vec<usize>,
    /// Bounds that honest values keep. A back end must not rely on them: only relations prove anything.
    pub bounds: Bounds,
    /// Elements, when fixed by the model.
    pub constant: Option<Vec<i64>>,
}

impl Var {
    /// Number of elements.
    pub fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// A variable seen through an affine map.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct View {
    /// The variable.
    pub var: VarId,
    /// How it is seen.
    pub map: Map,
}

/// How tightly a [`Relation::Range`] binds.
///
/// Where an end is loose, a back end chooses what suits its tables, within [`SLACK_BITS`]: everything in
/// `[lo, lo + 2^bits)` is accepted, and nothing beyond a loose end by `2^(bits + SLACK_BITS)` or more.
/// [`System::check`] accepts all that any back end may accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RangeKind {
    /// Exactly `[lo, lo + 2^bits)`: uniqueness of a result depends on both ends.
    Exact,
    /// Nothing below `lo`, loose above: uniqueness depends on the lower end alone, a sign say. A back end may
    /// round `bits` up.
    AtLeast,
    /// Loose at both ends: it only keeps integers from wrapping in the field. A back end may round `bits` up
    /// or move `lo` down, or drop the relation when others already confine the values as tightly.
    Sound,
}

/// How far beyond a loose end of a range a back end may accept values: by less than `2^(bits + SLACK_BITS)`.
pub const SLACK_BITS: u32 = 16;

impl RangeKind {
    /// The widest closed interval that a back end may accept for the range `[lo, lo + 2^bits)`.
    pub fn widest(self, lo: i64, bits: u32) -> Bounds {
        let (lo, width) = (i128::from(lo), 1i128 << bits);
        let slack = 1i128 << (bits + SLACK_BITS);
        match self {
            Self::Exact => Bounds { lo, hi: lo + width - 1 },
            Self::AtLeast => Bounds { lo, hi: lo + width + slack - 1 },
            Self::Sound => Bounds { lo: lo - slack, hi: lo + width + slack - 1 },
        }
    }
}

/// Part of the public statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Section {
    /// The model's inputs.
    Input,
    /// The model's private weights.
    Model,
    /// The model's outputs.
    Output,
}

/// How integers are written as unsigned numbers of equal width, several of which share a field element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Code {
    /// Width in bits, 1 to 62.
    pub bits: u32,
    /// Whether negative numbers occur: the unsigned number is then `v + 2^(bits − 1)`, else `v`.
    pub signed: bool,
}

impl Code {
    /// The narrowest code of all integers within bounds.
    pub fn of(bounds: Bounds) -> Self {
        let signed = bounds.lo < 0;
        let magnitude = if signed { bounds.hi.max(-(bounds.lo + 1)) } else { bounds.hi };
        let bits = (128 - magnitude.leading_zeros()).max(u32::from(!signed)) + u32::from(signed);
        Self { bits, signed }
    }

    /// The smallest integer that the code can write.
    pub fn lo(self) -> i64 {
        if self.signed { -(1 << (self.bits - 1)) } else { 0 }
    }

    /// All integers that the code can write.
    pub fn bounds(self) -> Bounds {
        let lo = i128::from(self.lo());
        Bounds { lo, hi: lo + (1i128 << self.bits) - 1 }
    }
}

/// A finite function: `key ↦ (column values…)` on a contiguous domain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Table {
    /// Name for messages.
    pub name: String,
    /// First key.
    pub lo: i64,
    /// One vector per output column, all of the same length: entry `j` belongs to key `lo + j`. A back end need not take more
    /// than two.
    pub columns: Vec<Vec<i64>>,
}

impl Table {
    /// Number of keys.
    pub fn len(&self) -> usize {
        self.columns.first().map_or(0, Vec::len)
    }

    /// Whether the table has no key.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One statement about whole tensors. All operands of an element-wise relation have the same view shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// `Σ_k a·b + addend = y`. View shapes: `a` is `batch ++ m ++ k`, `b` is `batch ++ k ++ n`,
    /// `y` and `addend` are `batch ++ m ++ n`; each part may have several dimensions.
    Contract {
        /// Left operand.
        a: View,
        /// Right operand.
        b: View,
        /// Added to the sum of products.
        addend: Option<View>,
        /// The result.
        y: View,
        /// Number of dimensions of `batch`, `m`, `k`, `n`.
        ranks: [usize; 4],
    },
    /// `Σ coefficient · view + constant = 0`, element-wise.
    Linear {
        /// Coefficient and operand.
        terms: Vec<(i64, View)>,
        /// Added to the sum.
        constant: i64,
    },
    /// `a · b = y`, element-wise.
    Product {
        /// Left factor.
        a: View,
        /// Right factor.
        b: View,
        /// The product.
        y: View,
    },
    /// `outputs = table(key)`, element-wise.
    Lookup {
        /// The table.
        table: TableId,
        /// The key; confined to the table's domain.
        key: View,
        /// One view per column of the table.
        outputs: Vec<View>,
    },
    /// `lo ≤ v < lo + 2^bits`, element-wise.
    Range {
        /// What is confined.
        v: View,
        /// Smallest value.
        lo: i64,
        /// Binary logarithm of the number of values.
        bits: u32,
        /// How tightly.
        kind: RangeKind,
    },
    /// `from = to`, element-wise: wiring. `to` shows each element of its variable at most once, and no
    /// other relation defines those elements.
    Copy {
        /// Where the values come from.
        from: View,
        /// The variable that is wired.
        to: View,
    },
    /// The elements of `v` are public, in row-major order.
    Public {
        /// What is public.
        v: View,
        /// Where in the statement.
        section: Section,
        /// One field element per element of `v` when absent; else as many per field element as fit.
        code: Option<Code>,
    },
    /// The statement carries one salted commitment to all elements of the parts, in order and row-major. How it
    /// is computed, and its salt, are the back end's; a range of its own confines each part to its code.
    Commit {
        /// What is committed to.
        parts: Vec<(View, Code)>,
        /// Where in the statement.
        section: Section,
    },
}

/// All variables and relations of a graph.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct System {
    /// Variables; the graph's tensors first.
    pub vars: Vec<Var>,
    /// Function tables.
    pub tables: Vec<Table>,
    /// Relations with the name of the node that stated them, in topological order.
    pub relations: Vec<(String, Relation)>,
    /// Variables that are inputs of the model, in order.
    pub inputs: Vec<VarId>,
    /// Number of leading variables that are the graph's tensors.
    pub tensors: usize,
}

impl System {
    /// Values of every variable from those of a run: tensors first, then auxiliary values, with the
    /// constants that only relations use in between. `None` when counts do not fit.
    pub fn assign(&self, trace: &Trace) -> Option<Vec<Vec<i64>>> {
        let mut given = trace.values.iter();
        let mut out = Vec::with_capacity(self.vars.len());
        for (i, v) in self.vars.iter().enumerate() {
            match &v.constant {
                Some(c) if i >= self.tensors => out.push(c.clone()),
                _ => out.push(given.next().filter(|g| g.len() == v.len())?.clone()),
            }
        }
        given.next().is_none().then_some(out)
    }
}

/// Collects the relations of one node after another.
#[derive(Debug, Default)]
pub struct RelationBuilder {
    pub(crate) system: System,
    pub(crate) label: String,
}

impl RelationBuilder {
    /// Declares an auxiliary variable. The operator's `eval` returns its values in order of declaration.
    pub fn aux(&mut self, name: &str, shape: &[usize], bounds: Bounds) -> View {
        let name = format!("{}.{name}", self.label);
        self.system.vars.push(Var { name, shape: shape.to_vec(), bounds, constant: None });
        self.view(VarId(self.system.vars.len() as u32 - 1))
    }

    /// A variable fixed by the model, used only by relations.
    pub fn constant(&mut self, name: &str, shape: &[usize], values: Vec<i64>) -> View {
        let name = format!("{}.{name}", self.label);
        let bounds = Bounds::of(values.iter().copied());
        self.system.vars.push(Var { name, shape: shape.to_vec(), bounds, constant: Some(values) });
        self.view(VarId(self.system.vars.len() as u32 - 1))
    }

    /// A variable as it is.
    pub fn view(&self, var: VarId) -> View {
        View { var, map: Map::identity(&self.system.vars[var.0 as usize].shape) }
    }

    /// Adds a table, or finds the same one again.
    pub fn table(&mut self, table: Table) -> TableId {
        let found = self.system.tables.iter().position(|t| t.lo == table.lo && t.columns == table.columns);
        let index = found.unwrap_or_else(|| {
            self.system.tables.push(table);
            self.system.tables.len() - 1
        });
        TableId(index as u32)
    }

    /// States a relation.
    pub fn state(&mut self, relation: Relation) {
        self.system.relations.push((self.label.clone(), relation));
    }

    /// States `Σ coefficient · view + constant = 0`.
    pub fn linear(&mut self, terms: &[(i64, &View)], constant: i64) {
        let terms = terms.iter().map(|(c, v)| (*c, (*v).clone())).collect();
        self.state(Relation::Linear { terms, constant });
    }

    /// States `a · b = y`.
    pub fn product(&mut self, a: &View, b: &View, y: &View) {
        self.state(Relation::Product { a: a.clone(), b: b.clone(), y: y.clone() });
    }

    /// States `lo ≤ v < lo + 2^bits`.
    pub fn range(&mut self, v: &View, lo: i64, bits: u32, kind: RangeKind) {
        self.state(Relation::Range { v: v.clone(), lo, bits, kind });
    }

    /// States that `v` is not negative; honest values are at most `hi`.
    pub fn at_least_zero(&mut self, v: &View, hi: i128) {
        self.range(v, 0, Bounds::new(0, hi).bits(), RangeKind::AtLeast);
    }

    /// States that `v` is near its bounds, so that it cannot wrap; once is enough.
    pub fn confine(&mut self, v: &View, bounds: Bounds) {
        let (lo, bits) = (bounds.lo as i64, bounds.bits());
        let range = Relation::Range { v: v.clone(), lo, bits, kind: RangeKind::Sound };
        if !self.system.relations.iter().any(|(_, r)| *r == range) {
            self.state(range);
        }
    }
}

impl Relation {
    /// Every view the relation mentions.
    pub fn views(&self) -> Vec<&View> {
        match self {
            Self::Contract { a, b, addend, y, .. } => [a, b, y].into_iter().chain(addend).collect(),
            Self::Linear { terms, .. } => terms.iter().map(|(_, v)| v).collect(),
            Self::Product { a, b, y } => vec![a, b, y],
            Self::Lookup { key, outputs, .. } => std::iter::once(key).chain(outputs).collect(),
            Self::Range { v, .. } | Self::Public { v, .. } => vec![v],
            Self::Commit { parts, .. } => parts.iter().map(|(v, _)| v).collect(),
            Self::Copy { from, to } => vec![from, to],
        }
    }
}

impl fmt::Display for View {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "v{}{:?}", self.var.0, self.map.shape)?;
        if self.map.is_identity() {
            return Ok(());
        }
        write!(f, "~{:?}", self.map.source)?;
        for (i, a) in self.map.axes.iter().enumerate() {
            write!(f, "{}{}{:+?}", if i == 0 { "@" } else { "," }, a.offset, a.steps)?;
        }
        self.map.pad.map_or(Ok(()), |p| write!(f, " else {p}"))
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.signed { "i" } else { "u" }, self.bits)
    }
}

impl fmt::Display for Relation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Contract { a, b, addend, y, ranks } => {
                write!(f, "contract{ranks:?} {a} × {b}")?;
                if let Some(addend) = addend {
                    write!(f, " + {addend}")?;
                }
                write!(f, " = {y}")
            }
            Self::Linear { terms, constant } => {
                for (i, (c, v)) in terms.iter().enumerate() {
                    write!(f, "{}{c}·{v}", if i == 0 { "" } else { " + " })?;
                }
                write!(f, " + {constant} = 0")
            }
            Self::Product { a, b, y } => write!(f, "{a} · {b} = {y}"),
            Self::Lookup { table, key, outputs } => {
                write!(f, "table {}[{key}] =", table.0)?;
                outputs.iter().try_for_each(|o| write!(f, " {o}"))
            }
            Self::Range { v, lo, bits, kind } => write!(f, "{lo} ≤ {v} < {lo} + 2^{bits} ({kind:?})"),
            Self::Copy { from, to } => write!(f, "{from} → {to}"),
            Self::Public { v, section, code: None } => write!(f, "public {section:?} {v}"),
            Self::Public { v, section, code: Some(code) } => write!(f, "public {section:?} {v} as {code}"),
            Self::Commit { parts, section } => {
                write!(f, "committed {section:?}")?;
                parts.iter().try_for_each(|(v, code)| write!(f, " {v} as {code}"))
            }
        }
    }
}

impl fmt::Display for System {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, v) in self.vars.iter().enumerate() {
            let fixed = if v.constant.is_some() { " constant" } else { "" };
            let Bounds { lo, hi } = v.bounds;
            writeln!(f, "v{i} = {} {:?} in [{lo}, {hi}]{fixed}", v.name, v.shape)?;
        }
        for (i, t) in self.tables.iter().enumerate() {
            let (columns, hi) = (t.columns.len(), t.lo + t.len() as i64);
            writeln!(f, "table {i} = {} on [{}, {hi}), {columns} columns", t.name, t.lo)?;
        }
        self.relations.iter().try_for_each(|(label, r)| writeln!(f, "{label}: {r}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_are_as_long_as_their_shapes() {
        let var = |shape: &[usize]| Var {
            name: "x".into(),
            shape: shape.to_vec(),
            bounds: Bounds::new(0, 1),
            constant: None,
        };
        assert_eq!(
            [var(&[]), var(&[2, 3]), var(&[4, 0])].map(|v| (v.len(), v.is_empty())),
            [(1, false), (6, false), (0, true)]
        );
    }

    #[test]
    fn codes_are_the_narrowest() {
        for (lo, hi, shown) in [
            (0, 0, "u1"),
            (0, 1, "u1"),
            (0, 255, "u8"),
            (3, 256, "u9"),
            (-1, 0, "i1"),
            (-1, 1, "i2"),
            (-128, 127, "i8"),
            (-129, 0, "i9"),
            (-1, 128, "i9"),
        ] {
            let code = Code::of(Bounds { lo, hi });
            assert_eq!(code.to_string(), shown, "[{lo}, {hi}]");
            assert!(code.bounds().lo <= lo && hi <= code.bounds().hi, "[{lo}, {hi}]");
        }
    }
}
