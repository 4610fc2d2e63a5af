//! A fake of the four services (being written).
