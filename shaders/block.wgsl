// What every dispatch knows: which steps it makes, and the parameters. The scalar ones are members of the generated
// struct Scalars; an array lies in `planes`, one lane of neurons after the other, each plane block.stride lanes long.
struct Block {
  first: u32,    // step the block begins with
  steps: u32,    // steps in it
  stride: u32,   // lanes in a plane
  dt: f32,       // ms
  neuron: u32,   // the population's number of the first neuron here
  mark: u32,     // another for each block
  start: u32,    // lane that the dispatch begins with
  end: u32,      // the population's number of the neuron after the last here; lanes beyond it are padding
}

@group(0) @binding(0) var<uniform> block: Block;
@group(0) @binding(1) var<uniform> scalars: Scalars;
@group(0) @binding(2) var<storage, read> planes: array<lane>;
