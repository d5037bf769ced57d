#include "views/task/stagerow.h"

#include "views/common/controls.h"
#include "views/common/minuteclock.h"
#include "views/common/paint.h"
#include "views/common/statelook.h"

#include <QBoxLayout>
#include <QDateTime>
#include <QLineEdit>
#include <QPainter>

#include <algorithm>

namespace foundry::views {

namespace {

constexpr int stageRowHeight = 34;
constexpr int stageLeft = 44;

struct StageLook {
    Icon icon;
    QColor Colors::*color;
    QString word;
};

StageLook stageLook(const OpenEnum<StageState> &state)
{
    switch (state.valueOr(StageState::Pending)) {
    case StageState::Pending:
        return {Icon::Circle, &Colors::textFaint, StageRow::tr("waiting")};
    case StageState::Running:
        return {Icon::Loader, &Colors::accentText, StageRow::tr("running")};
    case StageState::Done:
        return {Icon::CircleCheck, &Colors::green, StageRow::tr("done")};
    case StageState::Failed:
        return {Icon::CircleX, &Colors::red, StageRow::tr("failed")};
    case StageState::Skipped:
        return {Icon::CircleDashed, &Colors::textFaint, StageRow::tr("not needed")};
    case StageState::Cancelled:
        return {Icon::Slash, &Colors::textFaint, StageRow::tr("cancelled")};
    }
    return {Icon::Circle, &Colors::textFaint, state.text()};
}

// The host knows these as questions about the branch's name (see resolveBranchClash).
bool stageIsClash(const Stage &stage)
{
    if (!stage.error || stage.error->group != QLatin1StringView("git"))
        return false;
    const QString &code = stage.error->code;
    return code == QLatin1StringView("branch_exists") || code == QLatin1StringView("branch_in_use")
        || code == QLatin1StringView("invalid_name")
        // Else it is the base that is not there, and no name of the task's branch mends that.
        || (code == QLatin1StringView("missing_ref") && stage.name() == QLatin1StringView("branch_attach"));
}

} // namespace

StageRow::StageRow(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    auto *page = new QVBoxLayout(this);
    page->setContentsMargins(stageLeft, 0, 16, 0);
    page->setSpacing(0);
    auto *head = new QWidget(this);
    head->setFixedHeight(stageRowHeight);
    auto *row = new QHBoxLayout(head);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(12);
    m_name = new Label(theme, TextStyle::List, &Colors::text, {}, head);
    m_log = new Label(theme, TextStyle::MonoSmall, &Colors::textFaint, {}, head);
    m_log->setElided(true);
    m_log->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    m_time = new Label(theme, TextStyle::Small, &Colors::textFaint, {}, head);
    row->addWidget(m_name);
    row->addWidget(m_log, 1);
    row->addWidget(m_time);
    page->addWidget(head);

    m_failure = new QWidget(this);
    auto *column = new QVBoxLayout(m_failure);
    column->setContentsMargins(0, 0, 0, 14);
    column->setSpacing(2);
    m_cause = new Label(theme, TextStyle::ListMedium, &Colors::red, {}, m_failure);
    m_cause->setWordWrap(true);
    m_action = new Label(theme, TextStyle::List, &Colors::textMuted, {}, m_failure);
    m_action->setWordWrap(true);
    m_detail = new Label(theme, TextStyle::MonoSmall, &Colors::textFaint, {}, m_failure);
    m_detail->setWordWrap(true);
    m_detail->setTextInteractionFlags(Qt::TextSelectableByMouse);
    column->addWidget(m_cause);
    column->addWidget(m_action);
    column->addWidget(m_detail);
    column->addSpacing(8);

    m_clash = new QWidget(m_failure);
    auto *clash = new QHBoxLayout(m_clash);
    clash->setContentsMargins(0, 0, 0, 8);
    clash->setSpacing(8);
    m_adopt = new Button(theme, tr("Work on that branch"), ButtonLook::Primary, m_clash);
    m_adopt->setToolTip(tr("Goes on where the branch that exists ends"));
    m_newName = new QLineEdit(m_clash);
    m_newName->setPlaceholderText(tr("Another name"));
    m_newName->setAccessibleName(tr("Another branch name"));
    m_newName->setMaximumWidth(240);
    m_useName = new Button(theme, tr("Use this name"), ButtonLook::Plain, m_clash);
    m_useName->setEnabled(false);
    clash->addWidget(m_adopt);
    clash->addWidget(new Label(theme, TextStyle::Small, &Colors::textFaint, tr("or"), m_clash));
    clash->addWidget(m_newName, 1);
    clash->addWidget(m_useName);
    clash->addStretch(1);
    column->addWidget(m_clash);

    auto *buttons = new QHBoxLayout;
    buttons->setSpacing(8);
    m_retry = new Button(theme, Icon::Retry, tr("Retry from here"), ButtonLook::Primary, m_failure);
    m_retryQuiet = new Button(theme, Icon::Retry, tr("Retry from here"), ButtonLook::Plain, m_failure);
    m_showLog = new Button(theme, Icon::FileText, tr("Show log"), ButtonLook::Plain, m_failure);
    buttons->addWidget(m_retry);
    buttons->addWidget(m_retryQuiet);
    buttons->addWidget(m_showLog);
    buttons->addStretch(1);
    column->addLayout(buttons);
    page->addWidget(m_failure);

    connect(m_retry, &Button::clicked, this, [this] { Q_EMIT retryRequested(m_stage.id); });
    connect(m_retryQuiet, &Button::clicked, this, [this] { Q_EMIT retryRequested(m_stage.id); });
    connect(m_showLog, &Button::clicked, this, [this] { Q_EMIT logRequested(m_stage.id); });
    connect(m_adopt, &Button::clicked, this, [this] { Q_EMIT branchClashResolved(true, {}); });
    const auto useName = [this] {
        if (!m_newName->text().trimmed().isEmpty())
            Q_EMIT branchClashResolved(false, m_newName->text().trimmed());
    };
    connect(m_useName, &Button::clicked, this, useName);
    connect(m_newName, &QLineEdit::returnPressed, this, useName);
    connect(m_newName, &QLineEdit::textChanged, this,
        [this](const QString &text) { m_useName->setEnabled(!text.trimmed().isEmpty()); });
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
}

void StageRow::setStage(const Stage &stage, bool first, bool last, bool mayRetry)
{
    m_stage = stage;
    m_first = first;
    m_last = last;
    const bool failed = stage.state.is(StageState::Failed);
    const bool running = stage.state.is(StageState::Running);
    const bool quiet = stage.state.is(StageState::Pending) || stage.state.is(StageState::Skipped) || stage.state.is(StageState::Cancelled);
    m_name->setText(stageWords(stage.name()));
    m_name->setStyleToken(running || failed ? TextStyle::ListSemiBold : TextStyle::List);
    m_name->setColorToken(quiet ? &Colors::textFaint : &Colors::text);
    QString line = stage.message.value_or(QString());
    if (line.isEmpty() && stage.logTail)
        line = stage.logTail->trimmed().section(QLatin1Char('\n'), -1);
    m_log->setText(failed ? QString() : line);
    m_log->setVisible(true);

    m_failure->setVisible(failed || (mayRetry && stage.state.is(StageState::Cancelled)));
    m_cause->setVisible(failed);
    m_action->setVisible(false);
    m_detail->setVisible(false);
    m_clash->setVisible(false);
    if (failed) {
        const Error error = stage.error.value_or(Error{{}, {}, tr("The stage failed without saying why.")});
        m_cause->setText(error.message);
        m_action->setText(error.action);
        m_action->setVisible(!error.action.isEmpty());
        const QString tail = error.detail.isEmpty() ? stage.logTail.value_or(QString()) : error.detail;
        m_detail->setText(tail.trimmed().section(QLatin1Char('\n'), -4));
        m_detail->setVisible(!tail.trimmed().isEmpty());
        m_clash->setVisible(stageIsClash(stage));
    }
    m_retry->setVisible(!stageIsClash(stage));
    m_retryQuiet->setVisible(stageIsClash(stage));
    setAccessibleName(tr("%1, %2").arg(m_name->text(), stageLook(stage.state).word));
    tick();
    update();
}

QString StageRow::timeText() const
{
    QStringList parts;
    if (m_stage.attempt > 1)
        parts.append(tr("attempt %1").arg(m_stage.attempt));
    if (m_stage.startedAt) {
        const Millis now = QDateTime::currentMSecsSinceEpoch();
        const Millis end = m_stage.endedAt.value_or(now);
        qint64 took = std::max<qint64>(0, end - *m_stage.startedAt);
        if (!m_stage.endedAt)
            took = took / 1000 * 1000;
        if (m_stage.endedAt || m_stage.state.is(StageState::Running))
            parts.append(durationText(took));
        if (m_stage.state.is(StageState::Running) && m_stage.deadlineAt)
            parts.append(tr("at most %1").arg(durationText(*m_stage.deadlineAt - *m_stage.startedAt)));
    }
    if (m_stage.state.is(StageState::Skipped) || m_stage.state.is(StageState::Cancelled))
        parts = {stageLook(m_stage.state).word};
    return parts.join(QStringLiteral(" · "));
}

void StageRow::setConnected(bool connected)
{
    for (Button *retry : {m_retry, m_retryQuiet}) {
        retry->setEnabled(connected);
        retry->setToolTip(connected ? QString() : tr("Possible when the host can be reached"));
    }
}

void StageRow::tick()
{
    m_time->setText(timeText());
}

void StageRow::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    const Colors &c = m_theme->colors();
    const StageLook look = stageLook(m_stage.state);
    // A thread runs through the glyphs: what came before and what comes after.
    const int middle = 24;
    if (!m_first)
        painter.fillRect(QRect(middle, 0, 1, (stageRowHeight - 16) / 2 - 2), c.border);
    if (!m_last)
        painter.fillRect(QRect(middle, (stageRowHeight + 16) / 2 + 2, 1, height() - (stageRowHeight + 16) / 2 - 2), c.border);
    m_theme->icons().paint(&painter, QRect(middle - 8, (stageRowHeight - 16) / 2, 16, 16), look.icon, c.*look.color);
}

} // namespace foundry::views
