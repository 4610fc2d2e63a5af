//! Walks over a parsed query, for every question that is asked of one: a node and a visitor in, whether it broke off out.
//!
//! The parser's own walk is compiled anew for every kind of visitor, thousands of functions each time: a dozen of them were
//! half of patwatch's own code and of the time to build it. Behind a reference one walk serves them all.

use sqlparser::ast::{Expr, Query, Select, TableFactor, Visit, VisitMut, Visitor, VisitorMut};
use std::ops::ControlFlow;

/// What is looked at on a walk; the names are the parser's.
pub(super) trait Look {
    fn pre_visit_query(&mut self, _: &Query) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn pre_visit_select(&mut self, _: &Select) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn pre_visit_table_factor(&mut self, _: &TableFactor) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn pre_visit_expr(&mut self, _: &Expr) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// What is changed on a walk.
pub(super) trait Change {
    fn pre_visit_query(&mut self, _: &mut Query) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn pre_visit_select(&mut self, _: &mut Select) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn pre_visit_table_factor(&mut self, _: &mut TableFactor) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn post_visit_expr(&mut self, _: &mut Expr) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Walks over `node`.
pub(super) fn walk(node: &impl Visit, look: &mut dyn Look) -> ControlFlow<()> {
    node.visit(&mut Looking(look))
}

/// Walks over `node` and changes it.
pub(super) fn walk_mut(node: &mut impl VisitMut, change: &mut dyn Change) -> ControlFlow<()> {
    node.visit(&mut Changing(change))
}

struct Looking<'l>(&'l mut dyn Look);

impl Visitor for Looking<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &Query) -> ControlFlow<()> {
        self.0.pre_visit_query(query)
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        self.0.pre_visit_select(select)
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        self.0.pre_visit_table_factor(factor)
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
        self.0.pre_visit_expr(expr)
    }
}

struct Changing<'c>(&'c mut dyn Change);

impl VisitorMut for Changing<'_> {
    type Break = ();

    fn pre_visit_query(&mut self, query: &mut Query) -> ControlFlow<()> {
        self.0.pre_visit_query(query)
    }

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<()> {
        self.0.pre_visit_select(select)
    }

    fn pre_visit_table_factor(&mut self, factor: &mut TableFactor) -> ControlFlow<()> {
        self.0.pre_visit_table_factor(factor)
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.0.post_visit_expr(expr)
    }
}
