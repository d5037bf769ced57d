#include "views/diff/diffview.h"

#include "views/common/asoflabel.h"
#include "views/common/controls.h"
#include "views/common/paint.h"
#include "views/diff/diffcanvas.h"

#include <QBoxLayout>
#include <QStackedLayout>

namespace foundry::views {

DiffView::DiffView(ThemeProvider *theme, CodeHighlighter *highlighter, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    auto *page = new QVBoxLayout(this);
    page->setContentsMargins(0, 0, 0, 0);
    page->setSpacing(0);

    auto *bar = new QWidget(this);
    bar->setFixedHeight(40);
    auto *row = new QHBoxLayout(bar);
    row->setContentsMargins(16, 0, 8, 0);
    row->setSpacing(8);
    m_name = new Label(theme, TextStyle::ListSemiBold, &Colors::text, {}, bar);
    m_folder = new Label(theme, TextStyle::List, &Colors::textFaint, {}, bar);
    m_folder->setElided(true, Qt::ElideMiddle);
    m_added = new Label(theme, TextStyle::MonoSmall, &Colors::green, {}, bar);
    m_removed = new Label(theme, TextStyle::MonoSmall, &Colors::red, {}, bar);
    m_asOf = new AsOfLabel(theme, bar);
    m_where = new Label(theme, TextStyle::Small, &Colors::textFaint, {}, bar);
    m_previous = new IconButton(theme, Icon::ChevronUp, tr("Previous change"), bar);
    m_previous->setName(tr("Previous change"), QStringLiteral("P"));
    m_next = new IconButton(theme, Icon::ChevronDown, tr("Next change"), bar);
    m_next->setName(tr("Next change"), QStringLiteral("N"));
    row->addWidget(m_name);
    row->addWidget(m_folder, 1);
    row->addWidget(m_added);
    row->addWidget(m_removed);
    row->addSpacing(8);
    row->addWidget(m_asOf);
    row->addWidget(m_where);
    row->addWidget(m_previous);
    row->addWidget(m_next);
    page->addWidget(bar);
    page->addWidget(new Hairline(theme, Qt::Horizontal, this));

    m_stack = new QStackedLayout;
    page->addLayout(m_stack, 1);
    m_canvas = new DiffCanvas(theme, highlighter, this);
    m_stack->addWidget(m_canvas);

    auto *message = new QWidget(this);
    auto *column = new QVBoxLayout(message);
    column->setContentsMargins(32, 32, 32, 32);
    column->setSpacing(8);
    m_title = new Label(theme, TextStyle::ReadingSemiBold, &Colors::textMuted, {}, message);
    m_detail = new Label(theme, TextStyle::List, &Colors::textFaint, {}, message);
    m_detail->setWordWrap(true);
    m_detail->setAlignment(Qt::AlignHCenter);
    m_retry = new Button(theme, Icon::Refresh, tr("Try again"), ButtonLook::Plain, message);
    column->addStretch(2);
    column->addWidget(m_title, 0, Qt::AlignHCenter);
    column->addWidget(m_detail);
    column->addWidget(m_retry, 0, Qt::AlignHCenter);
    column->addStretch(3);
    m_stack->addWidget(message);

    setFocusProxy(m_canvas);
    m_patience.setSingleShot(true);
    m_patience.setInterval(std::chrono::milliseconds(400)); // a kept copy is there by then
    connect(&m_patience, &QTimer::timeout, this, &DiffView::sayIfAbsent);
    connect(m_previous, &IconButton::clicked, this, [this] { m_canvas->goToChange(false); });
    connect(m_next, &IconButton::clicked, this, [this] { m_canvas->goToChange(true); });
    connect(m_retry, &Button::clicked, this, [this] { load(m_path, m_scope); });
    connect(m_canvas, &DiffCanvas::currentChangeChanged, this, [this](int change, int) {
        m_change = change;
        updateHeader();
    });
}

void DiffView::load(const QString &path, ChangeScope scope)
{
    const bool again = path == m_path && scope == m_scope && m_canvas->diff().count() > 0;
    m_path = path;
    m_scope = scope;
    m_fresh = true;
    const qsizetype slash = path.lastIndexOf(QLatin1Char('/'));
    m_name->setText(path.mid(slash + 1));
    m_folder->setText(slash > 0 ? path.left(slash) : QString());
    m_canvas->setAccessibleName(tr("Diff of %1").arg(path));
    if (!again) {
        m_canvas->setPath(path);
        say(tr("Loading the diff…"), {}, false);
    }
    updateHeader();
    m_waiting = true;
    m_patience.start();
    Q_EMIT pageRequested(path, scope, {});
}

void DiffView::setConnected(bool connected)
{
    if (m_connected == connected)
        return;
    m_connected = connected;
    if (!connected)
        sayIfAbsent();
    else if (m_keptAt > 0)
        load(m_path, m_scope);
    else if (m_waiting && m_canvas->diff().count() == 0)
        say(tr("Loading the diff…"), {}, false); // it was asked for, and is answered now
}

void DiffView::sayIfAbsent()
{
    if (!m_connected && m_waiting && m_canvas->diff().count() == 0 && !m_path.isEmpty()) {
        say(tr("Not on this computer yet"),
            tr("This diff was not opened while the host was there. It is read as soon as the host can be reached."), false);
    }
}

void DiffView::setPage(const Result<DiffPage> &page)
{
    m_waiting = page.ok() && page.value().pending;
    m_keptAt = page.ok() ? page.value().asOf : 0;
    m_asOf->setTime(m_keptAt);
    const std::optional<Error> error = !page.ok() ? page.error() : page.value().error;
    if (error) {
        say(error->message, error->action, true);
        return;
    }
    if (page.value().pending) {
        if (m_canvas->diff().count() == 0)
            say(tr("Loading the diff…"), tr("Git is reading the work tree."), false);
        return;
    }
    if (page.value().binary) {
        say(tr("A binary file"), tr("There are no lines to compare."), false);
        return;
    }
    if (m_fresh) {
        m_fresh = false;
        m_change = 0;
        m_canvas->replaceUnified(page.value().unified);
    } else {
        m_canvas->appendUnified(page.value().unified);
    }
    if (page.value().cursor)
        Q_EMIT pageRequested(m_path, m_scope, *page.value().cursor);
    else
        m_fresh = true;
    if (m_canvas->diff().count() == 0)
        say(tr("No changed lines"), tr("The file's mode or name changed, or what changed was taken back."), false);
    else
        m_stack->setCurrentIndex(0);
    updateHeader();
}

void DiffView::say(const QString &title, const QString &detail, bool canRetry)
{
    m_title->setText(title);
    m_detail->setText(detail);
    m_detail->setVisible(!detail.isEmpty());
    m_retry->setVisible(canRetry);
    m_stack->setCurrentIndex(1);
}

void DiffView::updateHeader()
{
    const UnifiedDiff &diff = m_canvas->diff();
    const int changes = int(diff.changes().size());
    m_added->setText(diff.count() > 0 ? addedText(diff.added()) : QString());
    m_removed->setText(diff.count() > 0 ? removedText(diff.removed()) : QString());
    if (changes == 0)
        m_where->clear();
    else if (m_change == 0)
        m_where->setText(changes == 1 ? tr("1 change") : tr("%n changes", nullptr, changes));
    else
        m_where->setText(tr("Change %1 of %2").arg(m_change).arg(changes));
    m_previous->setEnabled(changes > 0);
    m_next->setEnabled(changes > 0);
}

void DiffView::focusInEvent(QFocusEvent *event)
{
    QWidget::focusInEvent(event);
    m_canvas->setFocus();
}

} // namespace foundry::views
