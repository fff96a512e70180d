//! Scripted screens: keys and news in, screens out.

mod screens;
