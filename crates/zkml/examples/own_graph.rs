//! Proves a computation that no ONNX file has: an integer graph made by hand. It is also what an ONNX operator becomes:
//! adding one is to say, in one file of `zkml-onnx/src/ops`, which graph operators it is.
//!
//!     cargo run --release -p zkml --example own_graph

#![forbid(unsafe_code)]

use std::error::Error;
use zkml::{Binding, Compiled, Interface, Optimize, Srs, Visibility};
use zkml_graph::{
    Bounds, GraphBuilder, Map,
    ops::{Linear, Product},
};
use zkml_interface::Port;

fn main() -> Result<(), Box<dyn Error>> {
    // y = x² + 3x − 7 for three numbers from −100 to 100.
    let mut graph = GraphBuilder::new("polynomial");
    let all = || Map::identity(&[3]);
    let x = graph.input("x", &[3], 0, Bounds::new(-100, 100), Visibility::Public)?;
    let square = graph.node("square", Product { a: all(), b: all() }, &[x, x])?;
    let sum = Linear { terms: vec![(1, all()), (3, all())], constant: -7, scale: 0 };
    let y = graph.node("sum", sum, &[square, x])?;
    graph.output("y", y, Visibility::Public);
    let graph = graph.finish()?;

    let port = |name: &str| vec![Port { name: name.into(), shape: vec![3], kind: "i64".into() }];
    let interface = Interface::new(&graph, &port("x"), &port("y"));
    let compiled = Compiled::plan_graph(graph, vec![], interface, Optimize::Prover, &())?;
    let srs = Srs::dev(compiled.plan().k())?;
    let keys = compiled.setup(&srs, &())?;
    let input = keys.compiled().input(r#"{"x": [0, 2, -10]}"#)?;
    let proven = keys.prove(&input, &Binding::default(), &())?;
    let verified = keys.verifier().verify(&proven.proof)?;
    assert_eq!(verified.outputs[0].integers, [-7, 3, 63]);
    println!("y = {:?} is proven", verified.outputs[0].values);
    Ok(())
}
