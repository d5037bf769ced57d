#include "views/task/stagetimeline.h"

#include "models/stagelistmodel.h"
#include "views/common/asoflabel.h"
#include "views/common/controls.h"
#include "views/task/stagerow.h"

#include <QBoxLayout>

#include <algorithm>

namespace foundry::views {

StageTimeline::StageTimeline(ThemeProvider *theme, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
{
    auto *page = new QVBoxLayout(this);
    page->setContentsMargins(0, 16, 0, 8);
    m_card = new Surface(theme, &Colors::surface, this);
    m_card->setCard(&Colors::hairline);
    page->addWidget(m_card);
    auto *column = new QVBoxLayout(m_card);
    column->setContentsMargins(0, 0, 0, 8);
    column->setSpacing(0);
    auto *head = new QHBoxLayout;
    head->setContentsMargins(16, 10, 10, 8);
    head->setSpacing(8);
    m_title = new Label(theme, TextStyle::ListSemiBold, &Colors::text, {}, m_card);
    m_progress = new Label(theme, TextStyle::Small, &Colors::textFaint, {}, m_card);
    m_asOf = new AsOfLabel(theme, m_card);
    m_cancel = new Button(theme, tr("Cancel"), ButtonLook::Ghost, m_card);
    m_cancel->setSmall(true);
    head->addWidget(m_title);
    head->addWidget(m_progress);
    head->addStretch(1);
    head->addWidget(m_asOf);
    head->addWidget(m_cancel);
    column->addLayout(head);
    column->addWidget(new Hairline(theme, Qt::Horizontal, m_card));
    column->addSpacing(6);
    m_rows = new QVBoxLayout;
    m_rows->setSpacing(0);
    column->addLayout(m_rows);
    setAccessibleName(tr("Stages"));
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);

    m_timer.setInterval(1000);
    connect(&m_timer, &QTimer::timeout, this, &StageTimeline::tick);
    connect(m_cancel, &Button::clicked, this, &StageTimeline::cancelRequested);
}

void StageTimeline::setStages(StageListModel *stages)
{
    if (stages && m_stages == stages)
        return;
    if (m_stages)
        m_stages->disconnect(this);
    m_stages = stages;
    if (stages) {
        connect(stages, &QAbstractItemModel::rowsInserted, this, &StageTimeline::sync);
        connect(stages, &QAbstractItemModel::rowsRemoved, this, &StageTimeline::sync);
        connect(stages, &QAbstractItemModel::rowsMoved, this, &StageTimeline::sync);
        connect(stages, &QAbstractItemModel::dataChanged, this, &StageTimeline::sync);
        connect(stages, &QAbstractItemModel::modelReset, this, &StageTimeline::sync);
    }
    m_asOf->setModels({stages});
    sync();
}

void StageTimeline::setConnected(bool connected)
{
    m_connected = connected;
    m_cancel->setEnabled(connected);
    m_cancel->setToolTip(connected ? QString() : tr("Possible when the host can be reached"));
    for (StageRow *row : std::as_const(m_byId))
        row->setConnected(connected);
}

void StageTimeline::setSession(const SessionId &session, const AgentId &agent)
{
    if (m_session == session && m_agent == agent)
        return;
    m_session = session;
    m_agent = agent;
    sync();
}

QList<Stage> StageTimeline::stagesWanted() const
{
    QList<Stage> mine;
    if (!m_stages)
        return mine;
    bool sandboxOpen = false;
    for (int row = 0; row < m_stages->count(); ++row) {
        const Stage &stage = m_stages->at(row);
        const QString scope = stage.scope();
        if (scope.startsWith(QLatin1StringView("session:")) && !m_session.isEmpty() && scope.mid(8) != m_session.value)
            continue;
        if (scope.startsWith(QLatin1StringView("agent:")) && !m_agent.isEmpty() && scope.mid(6) != m_agent.value)
            continue;
        mine.append(stage);
        const bool open = !stage.state.is(StageState::Done) && !stage.state.is(StageState::Skipped);
        sandboxOpen = sandboxOpen || (open && scope == QLatin1StringView("sandbox"));
    }
    // A later session finds the sandbox made: its stages say nothing new then.
    int sessions = 0;
    QString seen;
    for (int row = 0; row < m_stages->count(); ++row) {
        const QString scope = m_stages->at(row).scope();
        if (scope.startsWith(QLatin1StringView("session:")) && scope != seen) {
            seen = scope;
            ++sessions;
        }
    }
    if (!sandboxOpen && sessions > 1)
        mine.removeIf([](const Stage &stage) { return stage.scope() == QLatin1StringView("sandbox"); });
    return mine;
}

void StageTimeline::sync()
{
    const QList<Stage> stages = stagesWanted();
    int done = 0;
    bool open = false;
    bool failed = false;
    bool running = false;
    bool cancelled = false;
    QStringList order;
    for (const Stage &stage : stages) {
        const bool over = stage.state.is(StageState::Done) || stage.state.is(StageState::Skipped);
        done += over;
        open = open || !over;
        failed = failed || stage.state.is(StageState::Failed);
        running = running || stage.state.is(StageState::Running);
        cancelled = cancelled || stage.state.is(StageState::Cancelled);
        order.append(stage.id);
    }
    if (order != m_order) {
        // The set of stages changes at most once per session: made anew then, updated in place else.
        for (StageRow *row : std::as_const(m_byId)) {
            m_rows->removeWidget(row);
            row->hide();
            row->deleteLater();
        }
        m_byId.clear();
        for (const QString &id : std::as_const(order)) {
            auto *row = new StageRow(m_theme, m_card);
            row->setConnected(m_connected);
            connect(row, &StageRow::retryRequested, this, &StageTimeline::retryRequested);
            connect(row, &StageRow::logRequested, this, &StageTimeline::logRequested);
            connect(row, &StageRow::branchClashResolved, this, &StageTimeline::branchClashResolved);
            m_rows->addWidget(row);
            m_byId.insert(id, row);
        }
        m_order = order;
    }
    bool offered = failed;
    for (qsizetype i = 0; i < stages.size(); ++i) {
        const bool offer = !offered && stages.at(i).state.is(StageState::Cancelled);
        offered = offered || offer;
        m_byId.value(stages.at(i).id)->setStage(stages.at(i), i == 0, i + 1 == stages.size(), offer);
    }

    m_title->setText(failed ? tr("Could not get ready") : cancelled && !running ? tr("Cancelled") : tr("Getting ready"));
    m_progress->setText(tr("%1 of %2").arg(done).arg(stages.size()));
    m_cancel->setVisible(!failed && (running || (open && !cancelled)));
    m_failed = failed;
    m_running = running;
    updateTimer();
    if (open != m_hasWork) {
        m_hasWork = open;
        Q_EMIT workChanged(open);
    }
}

void StageTimeline::tick()
{
    for (StageRow *row : std::as_const(m_byId)) {
        if (row->stage().state.is(StageState::Running))
            row->tick();
    }
}

// No ticking for what nobody sees.
void StageTimeline::updateTimer()
{
    if (m_running && isVisible()) {
        if (!m_timer.isActive())
            m_timer.start();
    } else {
        m_timer.stop();
    }
}

void StageTimeline::showEvent(QShowEvent *)
{
    tick();
    updateTimer();
}

void StageTimeline::hideEvent(QHideEvent *)
{
    updateTimer();
}

} // namespace foundry::views
