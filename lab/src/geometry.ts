// Where a voxel lies in the patient, and which voxel lies at a point. Millimetres are RAS+ (right, front, up).

export type Point = [number, number, number];

/** Affine (4x4) times an index (slice, row, column). */
export function physical(a: number[][], [k, i, j]: Point): Point {
  return [0, 1, 2].map(r => a[r][0] * k + a[r][1] * i + a[r][2] * j + a[r][3]) as Point;
}

/** The index (slice, row, column; not rounded) at a point. */
export function index(a: number[][], p: Point): Point {
  const [[m00, m01, m02], [m10, m11, m12], [m20, m21, m22]] = a;
  const d = [p[0] - a[0][3], p[1] - a[1][3], p[2] - a[2][3]];
  const c = [m11 * m22 - m12 * m21, m12 * m20 - m10 * m22, m10 * m21 - m11 * m20];
  const det = m00 * c[0] + m01 * c[1] + m02 * c[2];
  return [
    (c[0] * d[0] + (m02 * m21 - m01 * m22) * d[1] + (m01 * m12 - m02 * m11) * d[2]) / det,
    (c[1] * d[0] + (m00 * m22 - m02 * m20) * d[1] + (m02 * m10 - m00 * m12) * d[2]) / det,
    (c[2] * d[0] + (m01 * m20 - m00 * m21) * d[1] + (m00 * m11 - m01 * m10) * d[2]) / det
  ];
}

/** The plane's step down (rows) and its step to the right (columns), mm. */
export function steps(a: number[][]): [Point, Point] {
  return [1, 2].map(c => [a[0][c], a[1][c], a[2][c]]) as [Point, Point];
}

export const dot = (u: Point, v: Point) => u[0] * v[0] + u[1] * v[1] + u[2] * v[2];
export const cross = (u: Point, v: Point): Point => [u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]];

/** Are rows and columns of a plane not at right angles, by more than half a degree? So they are across the slices of a tilted gantry. */
export function isSheared(a: number[][]): boolean {
  const [u, v] = steps(a);
  return Math.abs(dot(u, v)) > 0.009 * Math.hypot(...u) * Math.hypot(...v);
}

/** A point in words: L 12.0, P 4.0, S 6.0 mm. */
export function words(p: Point): string {
  return p.map((c, a) => `${(c >= 0 ? 'RAS' : 'LPI')[a]} ${Math.abs(c).toFixed(1)}`).join(', ') + ' mm';
}

/** Where a slice lies along the patient's nearest axis: S 35.0 mm. */
export function slicePosition(a: number[][], k: number, rows: number, cols: number): string {
  const n = cross(...steps(a)).map(Math.abs);
  const axis = n.indexOf(Math.max(...n));
  const c = physical(a, [k, (rows - 1) / 2, (cols - 1) / 2])[axis];
  return `${(c >= 0 ? 'RAS' : 'LPI')[axis]} ${Math.abs(c).toFixed(1)} mm`;
}
