//! Questions about one expression of a query, for the lint.
//!
//! In: a parsed expression. Out: yes or no.

use super::walk::{Look, walk};
use sqlparser::ast::{BinaryOperator, DataType, Expr, Value, WindowFrameBound};
use std::ops::ControlFlow;

/// Functions whose answer may have a fraction.
const FRACTIONS: &[&str] =
    &["avg", "median", "quantile_cont", "quantile_disc", "stddev", "sqrt", "ln", "exp", "power"];

pub(super) fn only_equalities(on: &Expr) -> bool {
    match on {
        Expr::Nested(inner) => only_equalities(inner),
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            only_equalities(left) && only_equalities(right)
        }
        Expr::BinaryOp { left, op: BinaryOperator::Eq, right } => is_column(left) && is_column(right),
        _ => false,
    }
}

pub(super) fn is_column(expr: &Expr) -> bool {
    matches!(expr, Expr::Identifier(_) | Expr::CompoundIdentifier(_))
}

pub(super) fn any(expr: &Expr, test: impl FnMut(&Expr) -> bool) -> bool {
    struct Any<F>(F);
    impl<F: FnMut(&Expr) -> bool> Look for Any<F> {
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            if (self.0)(expr) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        }
    }
    walk(expr, &mut Any(test)).is_break()
}

pub(super) fn has_column(expr: &Expr) -> bool {
    any(expr, is_column)
}

/// Tells whether a cast to integer could cut a fraction off.
pub(super) fn may_be_fraction(expr: &Expr) -> bool {
    match expr {
        Expr::Nested(inner) => may_be_fraction(inner),
        Expr::Floor { .. } | Expr::Ceil { .. } => false,
        Expr::Function(f)
            if matches!(f.name.to_string().to_lowercase().as_str(), "floor" | "ceil" | "ceiling") =>
        {
            false
        }
        _ => any(expr, |e| match e {
            Expr::BinaryOp { op: BinaryOperator::Divide, .. } => true,
            Expr::Value(v) => matches!(&v.value, Value::Number(n, _) if n.contains('.')),
            Expr::Function(f) => FRACTIONS.contains(&f.name.to_string().to_lowercase().as_str()),
            _ => false,
        }),
    }
}

pub(super) fn is_integer(kind: &DataType) -> bool {
    matches!(
        kind,
        DataType::BigInt(_)
            | DataType::Int(_)
            | DataType::Integer(_)
            | DataType::SmallInt(_)
            | DataType::TinyInt(_)
            | DataType::Int64
            | DataType::Int32
    )
}

pub(super) fn op_compares(op: &BinaryOperator) -> bool {
    matches!(
        op,
        BinaryOperator::Eq
            | BinaryOperator::NotEq
            | BinaryOperator::Lt
            | BinaryOperator::LtEq
            | BinaryOperator::Gt
            | BinaryOperator::GtEq
    )
}

pub(super) fn bounded(start: &WindowFrameBound, end: Option<&WindowFrameBound>) -> bool {
    let some = |b: &WindowFrameBound| {
        matches!(b, WindowFrameBound::Preceding(Some(_)) | WindowFrameBound::Following(Some(_)))
    };
    some(start) || end.is_some_and(some)
}
