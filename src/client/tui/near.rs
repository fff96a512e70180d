//! The word that was probably meant.

/// Letters of the longest word that is looked for: no name is longer, and the work grows with it.
const LONGEST: usize = 24;

/// The one of `names` that is most like `word`, if any is like it at all. What it is the beginning of is nearest.
pub(crate) fn nearest<'a>(word: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // One letter begins too much.
    if word.len() < 2 || word.len() > LONGEST {
        return None;
    }
    let likeness = |name: &str| if name.starts_with(word) { 0 } else { distance(word, name) };
    let near = names.filter(|name| name.len() > 1).map(|name| (likeness(name), name));
    // With the first of three letters changed, it is another word.
    let is_like = |distance: usize, name: &str| {
        let same_first = name.chars().next() == word.chars().next();
        distance <= name.len() / 3 && (distance == 0 || name.len() > 3 || same_first)
    };
    near.min().filter(|(distance, name)| is_like(*distance, name)).map(|(_, name)| name)
}

/// How many letters must be changed, added, left out or swapped with their neighbour.
fn distance(from: &str, to: &str) -> usize {
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let mut rows = vec![(0..=to.len()).collect::<Vec<usize>>()];
    for (i, a) in from.iter().enumerate() {
        let mut row = vec![i + 1];
        for (j, b) in to.iter().enumerate() {
            let changed = rows[i][j] + usize::from(a != b);
            let mut best = changed.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && *a == to[j - 1] && from[i - 1] == *b {
                best = best.min(rows[i - 1][j - 1] + 1);
            }
            row.push(best);
        }
        rows.push(row);
    }
    rows[from.len()][to.len()]
}
