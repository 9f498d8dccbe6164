//! Channels of very different magnitude, brought together before anything is rounded.
//!
//! What a contraction gives may be multiplied by a power of two, one for each channel, if the weights that read the channel are
//! divided by it: what lies between are maxima and averages within channels. No float changes by that; but one scale for all
//! weights of a layer, and one for all its results, is then as fine for the smallest channel as for the largest. Networks with
//! depthwise convolutions need it, whose channels are apart by factors of a thousand once their normalisation was folded in.

use zkml_interface::power;

use super::{Contraction, Net, NetOp, Numbers, Side};

/// Least ratio, as a power of two, by which a channel is moved: with less, a few bits of a weight are lost.
const APART: i32 = 4;

impl Net {
    /// Balances the channels of all contractions with public weights.
    pub(crate) fn balance(&mut self) {
        let live = self.live();
        for maker in 0..live.len() {
            if live[maker]
                && let Some(between) = Between::of(self, &live, maker)
                && let Some(powers) = between.powers(self)
            {
                between.apply(self, &powers);
            }
        }
    }

    /// The contraction of a node whose weights everybody may see and that are no integers.
    fn weighted(&self, node: usize) -> Option<(&Contraction, Numbers)> {
        let NetOp::Contract(c) = &self.nodes[node].op else { return None };
        let public = c.addend.as_ref().is_none_or(|n| !n.is_private());
        let weights = self.constant(&c.b).filter(|w| public && !w.is_private())?;
        (!self.nodes[node].integer).then_some((c, weights))
    }
}

/// A contraction that reads a channel in each row of its weights.
struct Reader {
    node: usize,
    /// For each row of the weights, `batch ++ k`, its channel; none for rows that only meet padding.
    rows: Vec<Option<usize>>,
}

/// All that lies between a contraction and those that read its results.
struct Between {
    maker: usize,
    channels: usize,
    readers: Vec<Reader>,
}

/// For each element of a value, its channel.
type Channels = Vec<usize>;

impl Between {
    /// Nothing where something reads the results that a factor would change.
    fn of(net: &Net, live: &[bool], maker: usize) -> Option<Self> {
        let (c, weights) = net.weighted(maker)?;
        if weights.uniform().is_some() {
            return None;
        }
        let [batch, m, _, n] = c.sizes();
        let mut own = vec![usize::MAX; net.nodes[maker].shape.iter().product()];
        for (i, element) in c.y.iter().enumerate() {
            *own.get_mut(element?)? = i / (m * n) * n + i % n;
        }
        let mut this = Self { maker, channels: batch * n, readers: vec![] };
        let mut todo = vec![(maker, own)];
        while let Some((value, channels)) = todo.pop() {
            let known = net.nodes[value].least.is_some_and(|least| least != 0.0);
            if known || channels.contains(&usize::MAX) || net.outputs.iter().any(|(_, o)| o.value == value) {
                return None;
            }
            let reads = |node: &usize| net.nodes[*node].op.operands().iter().any(|o| o.value == value);
            for node in (0..live.len()).filter(|node| live[*node]).filter(reads) {
                todo.extend(this.passes(net, node, value, &channels)?.map(|channels| (node, channels)));
            }
        }
        (!this.readers.is_empty()).then_some(this)
    }

    /// The channels of what a node makes of a value, where it keeps them apart; nothing inside where it is a reader.
    fn passes(
        &mut self,
        net: &Net,
        node: usize,
        value: usize,
        channels: &Channels,
    ) -> Option<Option<Channels>> {
        match &net.nodes[node].op {
            NetOp::Max { a, b: Side::Constant(0.0) } => {
                a.map.iter().map(|i| Some(channels[i?])).collect::<Option<Channels>>().map(Some)
            }
            NetOp::Max { a, b: Side::Operand(b) } if a.value == value && b.value == value => {
                let of = |(a, b): (Option<usize>, Option<usize>)| match (a, b) {
                    (Some(a), Some(b)) => (channels[a] == channels[b]).then_some(channels[a]),
                    (a, b) => Some(channels[a.or(b)?]),
                };
                a.map.iter().zip(b.map.iter()).map(of).collect::<Option<Channels>>().map(Some)
            }
            NetOp::Contract(c) if c.b.value != value && c.a.map.pad.is_none_or(|pad| pad == 0) => {
                let (c, weights) = net.weighted(node)?;
                if weights.uniform().is_some() && c.addend.as_ref().is_none_or(Numbers::is_zero) {
                    return averaged(net, node, c, channels).map(Some);
                }
                let rows = rows(c, channels)?;
                self.readers.push(Reader { node, rows });
                Some(None)
            }
            _ => None,
        }
    }

    /// The exponent of each channel's factor; nothing where all are close to each other.
    fn powers(&self, net: &Net) -> Option<Vec<i32>> {
        let (c, weights) = net.weighted(self.maker)?;
        let [_, _, k, n] = c.sizes();
        let (mut made, mut read) = (vec![0.0f64; self.channels], vec![0.0f64; self.channels]);
        for (j, w) in weights.values().iter().enumerate() {
            let own = &mut made[j / (k * n) * n + j % n];
            *own = own.max(w.abs());
        }
        for Reader { node, rows } in &self.readers {
            let (c, weights) = net.weighted(*node)?;
            let n = c.sizes()[3];
            for (row, w) in rows.iter().zip(weights.values().chunks(n.max(1))) {
                if let Some(channel) = row {
                    read[*channel] = w.iter().fold(read[*channel], |most, w| most.max(w.abs()));
                }
            }
        }
        // Half of the way for both sides.
        let wish = |(made, read): (&f64, &f64)| {
            (made.is_normal() && read.is_normal()).then(|| (exponent(*read) - exponent(*made)).div_euclid(2))
        };
        let wishes: Vec<Option<i32>> = made.iter().zip(&read).map(wish).collect();
        let known = || wishes.iter().flatten();
        // The largest stays where it is, and with it what the layer's results may reach.
        let largest =
            (0..self.channels).filter(|c| wishes[*c].is_some()).max_by_key(|c| exponent(made[*c]))?;
        let still = wishes[largest]?;
        (known().max()? - known().min()? >= APART)
            .then(|| wishes.iter().map(|wish| wish.map_or(0, |w| w - still)).collect())
    }

    fn apply(&self, net: &mut Net, powers: &[i32]) {
        let factor = |channel: usize| power(powers[channel]);
        let Some((c, weights)) = net.weighted(self.maker) else { return };
        let mut c = c.clone();
        let [_, m, k, n] = c.sizes();
        let own = weights.values().iter().enumerate().map(|(j, w)| w * factor(j / (k * n) * n + j % n));
        let own: Vec<f64> = own.collect();
        if let Some(addend) = &c.addend {
            let all = addend.values().iter().enumerate();
            let all = all.map(|(i, v)| v * factor(i / (m * n) * n + i % n));
            c.addend = Some(Numbers::public(all.collect()));
        }
        net.reweigh(self.maker, c, own);
        for Reader { node, rows } in &self.readers {
            let Some((c, weights)) = net.weighted(*node) else { return };
            let (c, n) = (c.clone(), c.sizes()[3].max(1));
            let by = |j: usize| rows[j / n].map_or(1.0, factor);
            let all = weights.values().iter().enumerate().map(|(j, w)| w / by(j)).collect();
            net.reweigh(*node, c, all);
        }
    }
}

impl Net {
    /// Gives a contraction other weights, element by element of their view.
    fn reweigh(&mut self, node: usize, mut c: Contraction, weights: Vec<f64>) {
        let name = self.nodes[c.b.value].name.clone();
        c.b = self.push_const(&name, Numbers::public(weights), &c.b.map.shape);
        self.nodes[node].op = NetOp::Contract(c);
    }
}

/// The channels of sums within channels.
fn averaged(net: &Net, node: usize, c: &Contraction, channels: &Channels) -> Option<Channels> {
    let [batch, m, k, n] = c.sizes();
    let shown: Vec<Option<usize>> = c.a.map.iter().map(|i| i.map(|i| channels[i])).collect();
    let of_sum = |i: usize| {
        let mut all = shown[i * k..][..k].iter().flatten();
        let first = *all.next()?;
        all.all(|c| *c == first).then_some(first)
    };
    let sums: Vec<usize> = (0..batch * m).map(of_sum).collect::<Option<_>>()?;
    let mut out = vec![usize::MAX; net.nodes[node].shape.iter().product()];
    for (i, element) in c.y.iter().enumerate() {
        *out.get_mut(element?)? = sums[i / n];
    }
    Some(out)
}

/// For each row of the weights of a contraction, the channel of all elements that meet it.
fn rows(c: &Contraction, channels: &Channels) -> Option<Vec<Option<usize>>> {
    let [batch, m, k, _] = c.sizes();
    let shown: Vec<Option<usize>> = c.a.map.iter().map(|i| i.map(|i| channels[i])).collect();
    let of_row = |(b, row): (usize, usize)| {
        let mut all = (0..m).filter_map(|r| shown[(b * m + r) * k + row]);
        let first = all.next();
        all.all(|c| Some(c) == first).then_some(first)
    };
    (0..batch).flat_map(|b| (0..k).map(move |row| (b, row))).map(of_row).collect()
}

/// The exponent of a normal number, as its bits have it: the same on every machine.
fn exponent(v: f64) -> i32 {
    ((v.to_bits() >> 52) & 0x7ff) as i32 - 1023
}

#[cfg(test)]
mod tests {
    use zkml_graph::Map;

    use super::*;
    use crate::net::{Evaluator, Operand};

    fn matrix(net: &mut Net, name: &str, a: Operand, weights: Vec<f64>, n: usize) -> Operand {
        let k = a.map.shape[0];
        let b = net.push_const(name, Numbers::public(weights), &[k, n]);
        let addend = Some(Numbers::public((0..n).map(|i| i as f64 - 0.5).collect()));
        net.contract(name, Contraction { a, b, addend, ranks: [0, 0, 1, 1], y: Map::identity(&[n]) })
    }

    /// Four channels from 2^-9 to 2^9 behind a maximum with `floor`, read by weights that undo that.
    fn apart(floor: f64) -> Net {
        let mut net = Net::default();
        let x = net.push("x", NetOp::Input, &[2]);
        net.inputs.push(x.value);
        let far = [-9, -3, 3, 9].map(power);
        let first = [1.5, -1.25, 1.75, 1.0, -1.0, 1.5, 1.25, -1.5];
        let first = first.iter().enumerate().map(|(j, w)| w * far[j % 4]).collect();
        let a = matrix(&mut net, "first", x, first, 4);
        let r = net.at_least("relu", a, floor);
        let second = far.iter().flat_map(|f| [1.25 / f, -1.5 / f]).collect();
        let y = matrix(&mut net, "second", r, second, 2);
        net.outputs.push(("y".into(), y));
        net
    }

    fn weights(net: &Net, name: &str) -> Vec<f64> {
        let node = net.nodes.iter().position(|n| n.name == name && matches!(n.op, NetOp::Contract(_)));
        net.weighted(node.expect("a contraction")).expect("weights").1.values().to_vec()
    }

    fn spread(weights: &[f64]) -> f64 {
        let magnitudes = || weights.iter().map(|w| w.abs());
        magnitudes().fold(0.0, f64::max) / magnitudes().fold(f64::INFINITY, f64::min)
    }

    #[test]
    fn channels_come_together_and_no_float_changes() {
        let before = apart(0.0);
        let mut after = before.clone();
        after.balance();
        for name in ["first", "second"] {
            assert!(spread(&weights(&before, name)) > 1e5);
            assert!(spread(&weights(&after, name)) < 4.0, "{name}: {:?}", weights(&after, name));
        }
        let y = |net: &Net, x: &[f64]| Evaluator::new(net).run(&[x.to_vec()])[net.outputs[0].1.value].clone();
        for x in [[0.75, -0.3], [-1.0, 2.0], [0.1, 0.2]] {
            assert_eq!(y(&before, &x), y(&after, &x));
        }
        // A second time, there is nothing to do.
        let nodes = after.nodes.len();
        after.balance();
        assert_eq!(after.nodes.len(), nodes);
    }

    #[test]
    fn what_a_factor_would_change_keeps_its_channels() {
        let untouched = |mut net: Net| {
            let before = weights(&net, "first");
            net.balance();
            assert_eq!(weights(&net, "first"), before);
        };
        untouched(apart(0.25));
        // The output shows what lies between.
        let mut shown = apart(0.0);
        let between = shown.nodes.iter().position(|n| n.name == "relu").expect("a maximum");
        shown.outputs.push(("z".into(), Operand { value: between, map: Map::identity(&[4]) }));
        untouched(shown);
        // A row of weights meets several channels.
        let mut mixed = apart(0.0);
        let Some(NetOp::Contract(c)) =
            mixed.nodes.iter_mut().map(|n| &mut n.op).rfind(|op| matches!(op, NetOp::Contract(_)))
        else {
            panic!("no contraction");
        };
        c.a.map.shape = vec![4, 4];
        c.a.map.axes[0].steps = vec![1, 0];
        c.ranks = [0, 1, 1, 1];
        c.y = Map::identity(&[4, 2]);
        c.addend = None;
        let last = mixed.outputs[0].1.value;
        mixed.nodes[last].shape = vec![4, 2];
        untouched(mixed);
    }
}
