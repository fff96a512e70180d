//! The terminal: put up as we need it, and given back as it was, whatever happens.

use std::io::{self, BufWriter, IsTerminal as _, Stdout, Write};
use std::mem::ManuallyDrop;
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};

use crossterm::clipboard::CopyToClipboard;
use crossterm::event::{
    DisableBracketedPaste, DisableFocusChange, EnableBracketedPaste, EnableFocusChange, Event as Input,
    EventStream, KeyboardEnhancementFlags, PopKeyboardEnhancementFlags, PushKeyboardEnhancementFlags,
};
use crossterm::style::Print;
use crossterm::terminal::{
    BeginSynchronizedUpdate, DisableLineWrap, EnableLineWrap, EndSynchronizedUpdate, EnterAlternateScreen,
    LeaveAlternateScreen, SetTitle, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute, queue};
use futures_util::StreamExt as _;
use ratatui::Frame;
use ratatui::backend::CrosstermBackend;

use super::desktop::Desktop;
use super::painter::Painter;

/// On the alternate screen the wheel sends arrows, so it scrolls and the mouse still selects.
const WHEEL_SENDS_ARROWS: &str = "\x1b[?1007h";
const WHEEL_IS_AS_IT_WAS: &str = "\x1b[?1007l";

/// Buttons, the wheel and dragging, told in a way that knows no largest column. Not every movement: nobody asks for
/// those, and over a slow line they would be most of what is sent.
const MOUSE_IS_OURS: &str = "\x1b[?1000h\x1b[?1002h\x1b[?1006h";
const MOUSE_IS_THE_TERMINALS: &str = "\x1b[?1006l\x1b[?1002l\x1b[?1000l";

/// The window's title is put away, and comes back.
const KEEP_TITLE: &str = "\x1b[22;2t";
const TITLE_AS_IT_WAS: &str = "\x1b[23;2t";

/// Whether the terminal is as we need it, and so has to be given back.
static UP: AtomicBool = AtomicBool::new(false);

/// What the terminal has to tell; the end, once it is gone. Asked by then, crossterm would read that end again and again,
/// and never come back.
pub(super) fn poll_input(
    input: &mut EventStream,
    context: &mut Context<'_>,
) -> Poll<Option<io::Result<Input>>> {
    if io::stdin().is_terminal() { input.poll_next_unpin(context) } else { Poll::Ready(None) }
}

/// A terminal that is up. Dropped, it is given back.
pub(super) struct Terminal {
    /// Not to be dropped by itself: it would show the cursor, as [`give_back`] does too, and where the terminal and
    /// standard error are gone it panics over that.
    screen: ManuallyDrop<ratatui::Terminal<Painter<CrosstermBackend<BufWriter<Stdout>>>>>,
    desktop: Option<Desktop>,
    /// We are told of the mouse.
    mouse: bool,
    /// Nobody knows what is on the screen.
    forgotten: bool,
}

impl Terminal {
    /// Puts the terminal up. Should anything panic, it is given back before the panic is told.
    pub(super) fn put_up() -> io::Result<Self> {
        static HOOK: Once = Once::new();
        HOOK.call_once(|| {
            let tell = std::panic::take_hook();
            std::panic::set_hook(Box::new(move |panic| {
                give_back();
                tell(panic);
            }));
        });
        let size = crossterm::terminal::size()?;
        let backend = CrosstermBackend::new(BufWriter::new(io::stdout()));
        let screen = ratatui::Terminal::new(Painter::new(backend, size))?;
        let desktop = Desktop::from_environment(|name| std::env::var(name).ok());
        let screen = ManuallyDrop::new(screen);
        let mut terminal = Self { screen, desktop, mouse: false, forgotten: false };
        terminal.resume()?;
        Ok(terminal)
    }

    /// Takes the terminal again.
    pub(super) fn resume(&mut self) -> io::Result<()> {
        enable_raw_mode()?;
        UP.store(true, Ordering::SeqCst);
        execute!(
            io::stdout(),
            EnterAlternateScreen,
            EnableBracketedPaste,
            EnableFocusChange,
            // Shift-Enter and Enter are one key unless this is asked for; terminals that do not know
            // it ignore it.
            PushKeyboardEnhancementFlags(KeyboardEnhancementFlags::DISAMBIGUATE_ESCAPE_CODES),
            // What a terminal takes for wider than it is must not go on in the next row.
            DisableLineWrap,
            Print(WHEEL_SENDS_ARROWS),
            Print(KEEP_TITLE),
        )?;
        if self.mouse {
            self.capture(true)?;
        }
        self.forget();
        Ok(())
    }

    /// Takes the terminal again from whoever used it while we were stopped without a word.
    pub(super) fn take_back(&mut self) -> io::Result<()> {
        // First the modes: in the background the kernel stops us here, before a byte is written over the
        // shell, and we come here once more when we are brought to the front. And crossterm does nothing for
        // who asks for raw mode twice.
        let _ = disable_raw_mode();
        // What was put on the terminal's stacks is taken off before it is put there again.
        give_back();
        self.resume()
    }

    /// Gives the terminal back for a while.
    pub(super) fn pause(&mut self) {
        give_back();
    }

    /// Stops this process as the shell would, and takes the terminal again when the shell lets it go on. Says whether
    /// there was a shell to go back to.
    pub(super) fn stop(&mut self) -> io::Result<bool> {
        self.pause();
        // The group, as Ctrl-Z does: whatever started us should stop as well.
        let stopped = std::process::Command::new("sh").args(["-c", "kill -TSTP 0"]).status();
        self.resume()?;
        Ok(stopped.is_ok())
    }

    /// Draws on so many columns and rows what `paint` paints, in one piece.
    pub(super) fn draw(&mut self, size: (u16, u16), paint: impl FnOnce(&mut Frame<'_>)) -> io::Result<()> {
        queue!(self.writer(), BeginSynchronizedUpdate)?;
        self.screen.backend_mut().fit(size);
        if std::mem::take(&mut self.forgotten) {
            // Not `clear`, which asks the terminal where its cursor is: some never answer, and none may while
            // keys are being read.
            let size = self.screen.size()?;
            self.screen.resize(size.into())?;
        }
        self.screen.draw(paint)?;
        queue!(self.writer(), EndSynchronizedUpdate)?;
        Write::flush(self.writer())
    }

    /// What takes the bytes.
    fn writer(&mut self) -> &mut CrosstermBackend<BufWriter<Stdout>> {
        self.screen.backend_mut().inner_mut()
    }

    /// The next drawing paints everything.
    pub(super) fn forget(&mut self) {
        // Emptied here, the screen would be seen empty.
        self.forgotten = true;
    }

    /// Rings the bell.
    pub(super) fn ring(&mut self) -> io::Result<()> {
        self.writer().write_all(b"\x07")?;
        Write::flush(self.writer())
    }

    /// Tells the desktop, if this terminal is known to pass it on.
    pub(super) fn tell_desktop(&mut self, title: &str, body: &str) -> io::Result<()> {
        let Some(desktop) = self.desktop else { return Ok(()) };
        self.writer().write_all(desktop.sequence(title, body).as_bytes())?;
        Write::flush(self.writer())
    }

    /// Sends a text for the clipboard, by OSC 52. The terminal does not say whether it takes it.
    pub(super) fn copy(&mut self, text: &str) -> io::Result<()> {
        execute!(self.writer(), CopyToClipboard::to_clipboard_from(text))
    }

    /// Has the terminal tell us of the mouse, or leaves the mouse to it.
    pub(super) fn capture(&mut self, on: bool) -> io::Result<()> {
        self.mouse = on;
        execute!(self.writer(), Print(if on { MOUSE_IS_OURS } else { MOUSE_IS_THE_TERMINALS }))
    }

    /// Names the window. `title` holds sanitised text only.
    pub(super) fn name(&mut self, title: &str) -> io::Result<()> {
        execute!(self.writer(), SetTitle(title))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back. A second time does nothing.
fn give_back() {
    if !UP.swap(false, Ordering::SeqCst) {
        return;
    }
    // There is nobody left to tell that it did not work.
    let _ = execute!(
        io::stdout(),
        EndSynchronizedUpdate,
        Print(TITLE_AS_IT_WAS),
        Print(MOUSE_IS_THE_TERMINALS),
        Print(WHEEL_IS_AS_IT_WAS),
        EnableLineWrap,
        PopKeyboardEnhancementFlags,
        DisableFocusChange,
        DisableBracketedPaste,
        LeaveAlternateScreen,
        cursor::Show,
    );
    let _ = disable_raw_mode();
}
