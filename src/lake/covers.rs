//! Spans for which the lake holds the whole log, and the days inside them that it lost.
//!
//! In: a span that somebody declared or a pull completed, and the days of it that could not be read. Out: the rest of it in
//! [`Index::covers`], and the lost days in [`Index::lost`], until an import or a pull brings them whole.

use super::index::{Cover, Index, Lost};
use crate::model::coverage::Basis;
use crate::model::time::{Micros, Span};

impl Index {
    /// Records that the log of an organisation is held for `span`, less the days of `lost`. Returns the parts of `span`
    /// that are lost. Days that were held whole before stay so.
    pub fn hold(&mut self, org: &str, span: Span, basis: Basis, lost: &[Span]) -> Vec<Span> {
        let earlier: Vec<Span> = self.covers.iter().filter(|c| c.org == org).map(|c| c.span).collect();
        let held = span.without(lost);
        let mut gaps = span.without(&held);
        for before in &earlier {
            gaps = gaps.iter().flat_map(|gap| gap.without(&[*before])).collect();
        }
        self.lost = std::mem::take(&mut self.lost)
            .into_iter()
            .flat_map(|gap| {
                let left = if gap.org == org { gap.span.without(&held) } else { vec![gap.span] };
                left.into_iter().map(move |span| Lost { org: gap.org.clone(), span })
            })
            .collect();
        self.lost.extend(gaps.iter().map(|gap| Lost { org: org.to_owned(), span: *gap }));
        self.covers.extend(held.into_iter().map(|span| Cover { org: org.to_owned(), span, basis }));
        gaps
    }

    /// Forgets what lies before `start`.
    pub(super) fn cut_covers(&mut self, start: Micros) {
        self.covers.retain(|c| c.span.to > start);
        self.lost.retain(|l| l.span.to > start);
        let covers = self.covers.iter_mut().map(|c| &mut c.span);
        for span in covers.chain(self.lost.iter_mut().map(|l| &mut l.span)) {
            span.from = span.from.max(start);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn span(from: Micros, to: Micros) -> Span {
        Span { from, to }
    }

    fn held(index: &Index) -> (Vec<Span>, Vec<Span>) {
        (index.covers.iter().map(|c| c.span).collect(), index.lost.iter().map(|l| l.span).collect())
    }

    #[test]
    fn lost_days_are_left_out_until_they_are_brought() {
        let mut index = Index::default();
        let gaps = index.hold("a", span(0, 100), Basis::Declared, &[span(20, 30), span(90, Micros::MAX)]);
        assert_eq!(gaps, [span(20, 30), span(90, 100)]);
        assert_eq!(held(&index), (vec![span(0, 20), span(30, 90)], vec![span(20, 30), span(90, 100)]));
        index.hold("b", span(0, 100), Basis::Declared, &[]);
        assert_eq!(index.lost.len(), 2, "another organisation's");
        index.hold("a", span(25, 95), Basis::Pulled, &[]);
        assert_eq!(held(&index).1, [span(20, 25), span(95, 100)]);
        index.cut_covers(22);
        assert_eq!(held(&index).1, [span(22, 25), span(95, 100)]);
    }

    #[test]
    fn a_damaged_copy_of_what_is_held_takes_nothing_away() {
        let mut index = Index::default();
        index.hold("a", span(0, 100), Basis::Declared, &[]);
        assert_eq!(
            index.hold("a", span(0, 120), Basis::Declared, &[span(50, Micros::MAX)]),
            [span(100, 120)]
        );
        assert_eq!(held(&index), (vec![span(0, 100), span(0, 50)], vec![span(100, 120)]));
    }
}
