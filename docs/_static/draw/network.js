// From a drawing to ten scores. Two functions are called from elsewhere: `centered` makes an image
// like MNIST's of a drawing, `read` is the network.
"use strict";

// ---- the network --------------------------------------------------------------------------------

// What the pixels are to the network: about 0 on average, with a spread of about 1.
const normalize = (image) => Float64Array.from(image, (pixel) => (pixel / 255 - 0.1307) / 0.3081);

const relu = (numbers) => numbers.map((x) => Math.max(x, 0));

// A weighted sum of all that came in, for each unit; weight is (units, inputs).
function dense(inputs, { weight, bias }) {
  return bias.map((start, unit) => {
    let sum = start;
    for (let i = 0; i < inputs.length; i++) sum += weight[unit * inputs.length + i] * inputs[i];
    return sum;
  });
}

// For each filter, the same weighted sum at every place; weight is (filters, maps, size, size).
function convolve(maps, { weight, bias, shape: [, , size] }) {
  const side = Math.sqrt(maps[0].length), out = side - size + 1;
  return Array.from(bias, (start, filter) => {
    const sums = new Float64Array(out * out).fill(start);
    maps.forEach((map, m) => {
      for (let k = 0; k < size * size; k++) {  // a place in the filter, row by row
        const w = weight[(filter * maps.length + m) * size * size + k];
        const from = Math.floor(k / size) * side + k % size;
        for (let row = 0; row < out; row++)
          for (let column = 0; column < out; column++)
            sums[row * out + column] += w * map[from + row * side + column];
      }
    });
    return sums;
  });
}

// The largest of each 2 x 2 numbers.
function pool(map) {
  const side = Math.sqrt(map.length), half = side / 2;
  return Float64Array.from({ length: half * half }, (_, i) => {
    const at = 2 * (Math.floor(i / half) * side + i % half);
    return Math.max(map[at], map[at + 1], map[at + side], map[at + side + 1]);
  });
}

// All of it: convolutions, each with relu and pool, then dense layers with relu between them.
function read(image, network) {
  let maps = [normalize(image)];
  const seen = [];
  for (const layer of network.convolutions) {
    seen.push(maps = convolve(maps, layer));
    maps = maps.map(relu).map(pool);
  }
  let numbers = Float64Array.from(maps.flatMap((map) => [...map]));
  const units = [];
  for (const layer of network.dense) {
    if (units.length) numbers = relu(numbers);
    units.push(numbers = dense(numbers, layer));
  }
  return { scores: [...numbers], maps: seen, units };
}

function softmax(scores) {
  const powers = scores.map((score) => Math.exp(score - Math.max(...scores)));
  return powers.map((power) => power / powers.reduce((a, b) => a + b));
}

// ---- a drawing as an image like MNIST's ---------------------------------------------------------

// MNIST's images have 28 x 28 pixels, the digit in a box of 20 x 20, its center of mass in the
// middle of pixel 14, counted from 0.
const FRAME = 28, BOX = 20, CENTER = 14.5;

// The drawing is cropped to its ink, scaled until its longer side has 20 pixels, and placed by its
// center of mass; a pixel becomes the mean of what it covers. `ink` is side x side, from 0 to 255.
function centered(ink, side) {
  const down = new Float64Array(side), right = new Float64Array(side);  // ink of rows, of columns
  ink.forEach((value, i) => { down[Math.floor(i / side)] += value; right[i % side] += value; });
  const [top, bottom] = ends(down), [left, end] = ends(right);
  if (top === bottom) return null;  // there is no ink
  const scale = BOX / Math.max(bottom - top, end - left);
  const rows = shares(down.subarray(top, bottom), scale);
  const columns = shares(right.subarray(left, end), scale);
  const image = new Float64Array(FRAME * FRAME);
  rows.forEach((parts, i) => parts.forEach(([to, share]) => columns.forEach((others, j) => {
    const value = share * ink[(top + i) * side + left + j];
    if (value) for (const [column, part] of others) image[to * FRAME + column] += value * part;
  })));
  return Uint8Array.from(image, Math.round);
}

// Where the ink begins and ends along one side.
function ends(profile) {
  const first = profile.findIndex((x) => x > 0);
  return first < 0 ? [0, 0] : [first, profile.findLastIndex((x) => x > 0) + 1];
}

// For each row (or column) of the box, which of the 28 pixels it covers, and how much of them.
function shares(profile, scale) {
  let mass = 0, moment = 0;
  profile.forEach((ink, i) => { mass += ink; moment += ink * (i + 0.5) * scale; });
  const room = FRAME - profile.length * scale;  // nothing leaves the frame
  const start = Math.min(Math.max(CENTER - moment / mass, 0), room);
  return Array.from(profile, (_, i) => {
    const from = start + i * scale, to = from + scale, parts = [];
    for (let pixel = Math.floor(from); pixel < Math.min(to, FRAME); pixel++)
      parts.push([pixel, Math.min(to, pixel + 1) - Math.max(from, pixel)]);
    return parts;
  });
}
