package sqlml;

import java.nio.ByteBuffer;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.api.java.UDF2;

/**
 * What each feature adds to the value of a forest: a row's features and its prediction in, a number for each group of
 * slots out.
 *
 * <p>With o = 1 where a row goes the way to a leaf at every split on a slot, and z the share of the training rows that
 * do, knowing the slots S of a row gives the leaf's value times prod(o in S) * prod(z outside of S). The weight of S in
 * the Shapley value of slot i among d, |S|! (d - 1 - |S|)! / d!, is the integral of t^|S| (1 - t)^(d - 1 - |S|) over t
 * from 0 to 1 (the multilinear extension of Owen, 1972), and so with f(j) = t o(j) + (1 - t) z(j)
 *
 * <pre>  value(i) = leaf * integral of (o(i) - z(i)) / f(i) * prod(f(j), all j) dt,</pre>
 *
 * of a polynomial of degree d - 1, which (d + 1) / 2 points of Gauss and Legendre integrate exactly. The product goes
 * down the tree with the row, a factor at each split, and the sum of the products at the leaves comes up again, so that
 * a tree costs its nodes times the points (as in Yu et al., "Linear TreeShap", 2022, with sums of positive weights in
 * place of divided polynomials). A split on a slot that was asked for above takes the factor of the split above away.
 *
 * <p>Written for Janino, the compiler that Spark brings along: no lambdas, no generics.
 */
public final class TreeShap implements UDF2 {
    private static final long serialVersionUID = 1L;

    private final int groups;
    private final int outputs;
    private final int depth;
    /** First nodes of the trees. */
    private final int[] roots;
    /** Of each node the slot that it asks for; -1: it is a leaf. Its left child is the next node. */
    private final int[] slot;
    /** Of each node its right child; of a leaf its place among the leaves. */
    private final int[] right;
    /** Of each node that asks for a category, where its part of `isLeft` begins; -1: it asks for a number. */
    private final int[] categories;
    /** For each category whether it goes left, then whether everything else does. */
    private final boolean[] isLeft;
    /** Of each node the greatest number that goes left, or how many categories there are. */
    private final double[] threshold;
    /** Of each node the share of its parent's training rows that came to it. */
    private final double[] share;
    /** Of each leaf its value for each output. */
    private final double[] value;
    /** Of each slot the group that it belongs to. */
    private final int[] group;
    private final double[] points;
    private final double[] weights;

    /** Reads what `packing.py` wrote. */
    public TreeShap(byte[] packed) {
        ByteBuffer in = ByteBuffer.wrap(packed);
        groups = in.getInt();
        outputs = in.getInt();
        depth = in.getInt();
        roots = readInts(in);
        slot = readInts(in);
        right = readInts(in);
        categories = readInts(in);
        group = readInts(in);
        int[] sides = readInts(in);
        isLeft = new boolean[sides.length];
        for (int at = 0; at < sides.length; at++) {
            isLeft[at] = sides[at] != 0;
        }
        threshold = readDoubles(in);
        share = readDoubles(in);
        value = readDoubles(in);
        points = readDoubles(in);
        weights = readDoubles(in);
    }

    private static int[] readInts(ByteBuffer in) {
        int[] found = new int[in.getInt()];
        for (int at = 0; at < found.length; at++) {
            found[at] = in.getInt();
        }
        return found;
    }

    private static double[] readDoubles(ByteBuffer in) {
        double[] found = new double[in.getInt()];
        for (int at = 0; at < found.length; at++) {
            found[at] = in.getDouble();
        }
        return found;
    }

    /** Returns the contributions to the output of the predicted class, or to the only one. */
    public Object call(Object features, Object prediction) {
        int output = outputs == 1 ? 0 : ((Double) prediction).intValue();
        Walk walk = new Walk(this, (Vector) features, output);
        for (int tree = 0; tree < roots.length; tree++) {
            walk.visit(roots[tree], 0);
        }
        return walk.found;
    }

    /** A row on its way through the trees. Of each level it keeps as many numbers as there are points. */
    static final class Walk {
        final double[] found;
        private final TreeShap of;
        private final Vector row;
        private final int output;
        private final int count;
        /** Product of the factors on the way. */
        private final double[] product;
        /** Sum of value times product over the leaves below. */
        private final double[] sum;
        /** Of the slot whose split led to a level: z, o, 1 / f, and (o - z) / f. Before any split: 1, 1, 1, 0. */
        private final double[] rest;
        private final boolean[] isAlong;
        private final double[] inverse;
        private final double[] gain;
        /** Of each slot the level to which the last split on it led; 0: none was asked. */
        private final int[] last;

        Walk(TreeShap of, Vector row, int output) {
            this.of = of;
            this.row = row;
            this.output = output;
            count = of.points.length;
            found = new double[of.groups];
            int levels = of.depth + 1;
            product = new double[levels * count];
            sum = new double[levels * count];
            rest = new double[levels];
            isAlong = new boolean[levels];
            inverse = new double[levels * count];
            gain = new double[levels * count];
            last = new int[of.group.length];
            rest[0] = 1;
            isAlong[0] = true;
            for (int at = 0; at < count; at++) {
                product[at] = of.weights[at];
                inverse[at] = 1;
            }
        }

        void visit(int node, int level) {
            int here = level * count;
            int below = here + count;
            int slot = of.slot[node];
            if (slot < 0) {
                double value = of.value[of.right[node] * of.outputs + output];
                for (int at = 0; at < count; at++) {
                    sum[here + at] = value * product[here + at];
                }
                return;
            }
            boolean goesLeft = goesLeft(node, slot);
            follow(node + 1, slot, level, goesLeft);
            for (int at = 0; at < count; at++) {
                sum[here + at] = sum[below + at];
            }
            follow(of.right[node], slot, level, !goesLeft);
            for (int at = 0; at < count; at++) {
                sum[here + at] += sum[below + at];
            }
        }

        private boolean goesLeft(int node, int slot) {
            double is = row.apply(slot);
            int from = of.categories[node];
            if (from < 0) {
                return is <= of.threshold[node];
            }
            int categories = (int) of.threshold[node];
            int category = (int) is;
            boolean isKnown = category == is && category >= 0 && category < categories;
            return of.isLeft[from + (isKnown ? category : categories)];
        }

        private void follow(int node, int slot, int level, boolean goes) {
            int here = level * count;
            int below = here + count;
            int before = last[slot];
            double share = of.share[node];
            if (!isAlong[before]) {
                // The row left the way at this slot before: z alone changes, in f and in o - z alike.
                for (int at = 0; at < count; at++) {
                    product[below + at] = share * product[here + at];
                }
                visit(node, level + 1);
                return;
            }
            if (share == 0 && !goes) {
                // Nothing came here and nothing does.
                for (int at = 0; at < count; at++) {
                    sum[below + at] = 0;
                }
                return;
            }
            int above = before * count;
            double z = rest[before] * share;
            double o = goes ? 1 : 0;
            rest[level + 1] = z;
            isAlong[level + 1] = goes;
            for (int at = 0; at < count; at++) {
                double t = of.points[at];
                double factor = t * o + (1 - t) * z;
                double inverted = 1 / factor;
                inverse[below + at] = inverted;
                gain[below + at] = (o - z) * inverted;
                product[below + at] = product[here + at] * factor * inverse[above + at];
            }
            last[slot] = level + 1;
            visit(node, level + 1);
            last[slot] = before;
            double total = 0;
            for (int at = 0; at < count; at++) {
                total += sum[below + at] * (gain[below + at] - gain[above + at]);
            }
            found[of.group[slot]] += total;
        }
    }
}
