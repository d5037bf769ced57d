#include "views/task/taskheader.h"

#include "views/common/controls.h"
#include "views/common/minuteclock.h"
#include "views/common/paint.h"
#include "views/common/statelook.h"

#include <QBoxLayout>
#include <QClipboard>
#include <QDateTime>
#include <QEvent>
#include <QGuiApplication>
#include <QKeyEvent>
#include <QLineEdit>
#include <QPainter>

#include <algorithm>

namespace foundry::views {

TaskHeader::TaskHeader(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setFixedHeight(Space::header);
    auto *row = new QHBoxLayout(this);
    row->setContentsMargins(10, 0, 10, 0);
    row->setSpacing(8);
    // A line edit that looks like a heading until it is being edited: one widget, no switching, and it has a name.
    m_title = new QLineEdit(this);
    m_title->setFrame(false);
    m_title->setReadOnly(true);
    m_title->setFocusPolicy(Qt::TabFocus);
    m_title->setFont(theme->font(TextStyle::Heading));
    m_title->setAccessibleName(tr("Title of the task"));
    m_title->setToolTip(tr("Double click or F2 to rename"));
    m_title->setCursor(Qt::ArrowCursor);
    m_title->setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
    m_title->installEventFilter(this);
    row->addWidget(m_title, 1000);
    m_branch = new Button(theme, Icon::GitBranch, QString(), ButtonLook::Ghost, this);
    m_branch->setSmall(true);
    m_branch->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Fixed);
    m_branch->hide();
    row->addWidget(m_branch);
    row->addStretch(1);
    m_turn = new Label(theme, TextStyle::Small, &Colors::textMuted, {}, this);
    row->addWidget(m_turn);
    m_pill = new StatePill(theme, this);
    row->addWidget(m_pill);
    m_changes = new IconButton(theme, Icon::PanelRight, tr("Hide changes"), this);
    row->addWidget(m_changes);

    m_timer.setInterval(1000);
    connect(&m_timer, &QTimer::timeout, this, &TaskHeader::tick);
    m_copied.setSingleShot(true);
    m_copied.setInterval(1500);
    connect(&m_copied, &QTimer::timeout, this, [this] { m_branch->setText(m_summary.branch); });
    connect(m_branch, &Button::clicked, this, &TaskHeader::copyBranch);
    connect(m_title, &QLineEdit::textEdited, this, &TaskHeader::fitTitle);
    connect(m_title, &QLineEdit::editingFinished, this, [this] { finishRename(true); });
    connect(m_changes, &IconButton::clicked, this, [this] {
        setChangesShown(!m_changesShown);
        Q_EMIT changesToggled(m_changesShown);
    });
    connect(theme, &ThemeProvider::changed, this, [this] {
        m_title->setFont(m_theme->font(TextStyle::Heading));
        update();
    });
}

void TaskHeader::setSummary(const TaskSummary &summary)
{
    const bool other = summary.id != m_summary.id;
    m_summary = summary;
    if (m_title->isReadOnly() || other) {
        m_title->setReadOnly(true);
        m_title->deselect();
    }
    if (!m_copied.isActive() || other)
        m_branch->setText(summary.branch);
    m_branch->setVisible(!summary.branch.isEmpty());
    m_branch->setAccessibleName(tr("Branch %1, copy its name").arg(summary.branch));
    m_branch->setToolTip(summary.baseBranch ? tr("Copy the branch's name. It began at %1.").arg(*summary.baseBranch)
                                            : tr("Copy the branch's name"));
    const bool provisioning = summary.status.is(TaskStatus::Provisioning);
    m_pill->setState(summary.status, provisioning && summary.stage ? stageWords(*summary.stage) : QString());
    fitTitle();
}

void TaskHeader::setTurnStarted(std::optional<Millis> at)
{
    if (m_turnStarted == at)
        return;
    m_turnStarted = at;
    tick();
    updateTimer();
}

void TaskHeader::setChangesShown(bool shown)
{
    m_changesShown = shown;
    m_changes->setName(shown ? tr("Hide changes") : tr("Show changes"));
    m_changes->setColorToken(shown ? &Colors::text : &Colors::textFaint);
}

void TaskHeader::startRename()
{
    m_title->setReadOnly(false);
    m_title->setText(m_summary.title);
    m_title->setCursor(Qt::IBeamCursor);
    m_title->setFocus();
    m_title->selectAll();
    fitTitle();
}

void TaskHeader::finishRename(bool keep)
{
    if (m_title->isReadOnly())
        return;
    const QString title = m_title->text().trimmed();
    m_title->setReadOnly(true);
    m_title->setCursor(Qt::ArrowCursor);
    m_title->deselect();
    if (keep && !title.isEmpty() && title != m_summary.title) {
        m_summary.title = title; // until the host says so too
        Q_EMIT renameRequested(title);
    }
    fitTitle();
}

void TaskHeader::fitTitle()
{
    const QFontMetrics metrics(m_title->font());
    const int want = metrics.horizontalAdvance(m_title->isReadOnly() ? m_summary.title : m_title->text()) + 20;
    m_title->setMinimumWidth(std::min(want, 120));
    m_title->setMaximumWidth(m_title->isReadOnly() ? std::max(120, want) : std::max(320, want));
    if (!m_title->isReadOnly())
        return;
    const QString shown = metrics.elidedText(m_summary.title, Qt::ElideRight, std::max(60, m_title->width() - 14));
    if (m_title->text() != shown)
        m_title->setText(shown);
    m_title->setCursorPosition(0);
    m_title->setToolTip(shown == m_summary.title ? tr("Double click or F2 to rename")
                                                 : tr("%1\nDouble click or F2 to rename").arg(m_summary.title));
}

void TaskHeader::copyBranch()
{
    QGuiApplication::clipboard()->setText(m_summary.branch);
    m_branch->setText(tr("Copied"));
    m_copied.start();
}

void TaskHeader::tick()
{
    if (!m_turnStarted) {
        m_turn->clear();
        return;
    }
    const qint64 elapsed = QDateTime::currentMSecsSinceEpoch() - *m_turnStarted;
    m_turn->setText(elapsed < 1000 ? QString() : durationText(elapsed / 1000 * 1000));
    m_turn->setToolTip(tr("Turn under way since %1").arg(exactTime(*m_turnStarted)));
}

// No ticking for what nobody sees.
void TaskHeader::updateTimer()
{
    if (m_turnStarted && isVisible())
        m_timer.start();
    else
        m_timer.stop();
}

void TaskHeader::showEvent(QShowEvent *)
{
    tick();
    updateTimer();
}

void TaskHeader::hideEvent(QHideEvent *)
{
    updateTimer();
}

bool TaskHeader::eventFilter(QObject *watched, QEvent *event)
{
    if (watched == m_title && event->type() == QEvent::Resize)
        fitTitle();
    if (watched == m_title && event->type() == QEvent::MouseButtonDblClick && m_title->isReadOnly()) {
        startRename();
        return true;
    }
    if (watched == m_title && event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent *>(event)->key();
        if (m_title->isReadOnly() && (key == Qt::Key_F2 || key == Qt::Key_Return)) {
            startRename();
            return true;
        }
        if (!m_title->isReadOnly() && key == Qt::Key_Escape) {
            finishRename(false);
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

StatePill::StatePill(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
}

void StatePill::setState(const OpenEnum<TaskStatus> &status, const QString &detail)
{
    m_status = status;
    m_text = detail.isEmpty() ? lookOf(status).word : detail;
    setAccessibleName(tr("State: %1").arg(m_text));
    updateGeometry();
    update();
}

QSize StatePill::sizeHint() const
{
    return {textWidth(m_text, m_theme->font(TextStyle::SmallMedium)) + 36, 24};
}

void StatePill::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    const Colors &c = m_theme->colors();
    const StateLook look = lookOf(m_status);
    paintRounded(&painter, rect(), c.raised, {}, 12);
    m_theme->icons().paint(&painter, QRect(7, 4, 16, 16), look.icon, c.*look.color);
    paintText(&painter, rect().adjusted(27, 0, -8, 0), m_text, m_theme->font(TextStyle::SmallMedium), c.text);
}

} // namespace foundry::views
