#include "views/dashboard/dashboard.h"

#include "models/agentlistmodel.h"
#include "models/boardmodel.h"
#include "models/repositorylistmodel.h"
#include "views/common/asoflabel.h"
#include "views/common/emptystate.h"
#include "views/common/linkwords.h"
#include "views/common/minuteclock.h"
#include "views/dashboard/agentways.h"
#include "views/dashboard/boardview.h"
#include "views/dashboard/firststart.h"
#include "views/dashboard/problemlist.h"
#include "views/dashboard/repositorychip.h"

#include <QAction>
#include <QApplication>
#include <QBoxLayout>
#include <QClipboard>
#include <QLineEdit>
#include <QMenu>
#include <QPainter>
#include <QStackedWidget>

namespace foundry::views {

Dashboard::Dashboard(ThemeProvider *theme, MinuteClock *clock, TaskListModel *tasks, RepositoryListModel *repositories,
    AgentListModel *agents, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_clock(clock)
    , m_tasks(tasks)
    , m_repositories(repositories)
    , m_agents(agents)
    , m_model(new BoardModel(tasks, [clock] { return clock->now(); }, this))
    , m_hostLine(new Label(theme, TextStyle::Small, &Colors::textFaint))
    , m_filter(new QLineEdit)
    , m_newTask(new Button(theme, Icon::Plus, tr("New task"), ButtonLook::Primary))
    , m_overview(nullptr)
    , m_repositoryStrip(new ChipStrip(theme, repositories,
          [repositories](int row) { return repositoryChip(repositories->at(row)); }, tr("Repositories"), tr("Add")))
    , m_agentStrip(new ChipStrip(theme, agents, [agents](int row) { return agentChip(agents->at(row)); }, tr("Agents"), {}))
    , m_stack(new QStackedWidget)
    , m_board(new BoardView(theme, clock, m_model, repositories))
    , m_empty(new EmptyState(theme, Icon::Board, tr("Nothing to do"), tr("Start a task and it appears here.")))
{
    setAccessibleName(tr("Board"));
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);
    layout->addWidget(buildHeader());
    layout->addWidget(new Hairline(theme, Qt::Horizontal));
    m_overview = buildOverview();
    layout->addWidget(m_overview);
    m_stack->addWidget(m_board);
    m_stack->addWidget(m_empty);
    layout->addWidget(m_stack, 1);
    connect(m_empty->addAction(tr("New task")), &QPushButton::clicked, this, [this] { Q_EMIT newTaskWanted({}); });

    connect(m_newTask, &QPushButton::clicked, this, [this] { Q_EMIT newTaskWanted({}); });
    connect(m_filter, &QLineEdit::textChanged, this, [this](const QString &text) {
        m_model->setFilter(text);
        choosePage();
    });
    connect(m_board, &BoardView::taskActivated, this, &Dashboard::taskActivated);
    connect(m_repositoryStrip, &ChipStrip::actionActivated, this, &Dashboard::addRepositoryWanted);
    connect(m_repositoryStrip, &ChipStrip::chipActivated, this, &Dashboard::openRepositoryMenu);
    connect(m_agentStrip, &ChipStrip::chipActivated, this,
        [this](int row, const QPoint &at) { openAgentMenu(m_agents->at(row).id, at); });
    for (const ListModelBase *model : {static_cast<ListModelBase *>(tasks), static_cast<ListModelBase *>(repositories)})
        connect(model, &ListModelBase::readyChanged, this, &Dashboard::choosePage);
    for (const auto signal : {&QAbstractItemModel::rowsInserted, &QAbstractItemModel::rowsRemoved})
        connect(m_model, signal, this, &Dashboard::choosePage);
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
    connect(clock, &MinuteClock::minutePassed, this, &Dashboard::updateHostLine);
    choosePage();
    updateHostLine();
}

QWidget *Dashboard::buildHeader()
{
    auto *header = new QWidget;
    header->setFixedHeight(Space::header);
    auto *row = new QHBoxLayout(header);
    row->setContentsMargins(Space::l, 0, Space::m, 0);
    row->setSpacing(Space::m);
    row->addWidget(new Label(m_theme, TextStyle::Heading, &Colors::text, tr("Board")));
    m_hostLine->setElided(true);
    auto *asOf = new AsOfLabel(m_theme);
    asOf->setModels({m_tasks, m_repositories, m_agents});
    row->addWidget(asOf);
    row->addWidget(m_hostLine, 1);
    m_filter->setPlaceholderText(tr("Filter"));
    m_filter->setAccessibleName(tr("Filter the board"));
    m_filter->setFixedWidth(176);
    auto *glass = new QAction(m_filter);
    const auto tint = [this, glass] { glass->setIcon(m_theme->icons().icon(Icon::Search, m_theme->colors().textFaint)); };
    tint();
    connect(m_theme, &ThemeProvider::changed, this, tint);
    m_filter->addAction(glass, QLineEdit::LeadingPosition);
    row->addWidget(m_filter);
    m_newTask->setToolTip(tr("New task  (Ctrl+N)"));
    row->addWidget(m_newTask);
    return header;
}

QWidget *Dashboard::buildOverview()
{
    auto *overview = new QWidget;
    auto *column = new QVBoxLayout(overview);
    column->setContentsMargins(Space::l, 12, Space::m, Space::s);
    column->setSpacing(Space::s);
    const auto add = [&](const QString &caption, ChipStrip *strip, ProblemList *problems) {
        auto *line = new QHBoxLayout;
        line->setSpacing(Space::s);
        auto *label = new Label(m_theme, TextStyle::Small, &Colors::textFaint, caption);
        label->setFixedSize(80, 28);
        line->addWidget(label, 0, Qt::AlignTop);
        auto *chips = new QVBoxLayout;
        chips->setSpacing(2);
        chips->addWidget(strip);
        chips->addWidget(problems);
        line->addLayout(chips, 1);
        column->addLayout(line);
    };
    add(tr("Repositories"), m_repositoryStrip,
        new ProblemList(m_theme, m_repositories, [this] { return repositoryProblems(*m_repositories, false); }));
    add(tr("Agents"), m_agentStrip, new ProblemList(m_theme, m_agents, [this] { return agentProblems(*m_agents); }));
    return overview;
}

bool Dashboard::showsFirstStart() const
{
    return m_firstStart && m_stack->currentWidget() == m_firstStart;
}

void Dashboard::focusContent()
{
    if (showsFirstStart())
        m_firstStart->focusNextStep();
    else
        m_board->setFocus();
}

void Dashboard::choosePage()
{
    const bool known = m_tasks->isReady() && m_repositories->isReady();
    const bool first = known && m_tasks->count() == 0;
    m_overview->setVisible(!first);
    m_filter->setVisible(!first);
    m_newTask->setVisible(!first);
    if (first) {
        if (!m_firstStart) {
            m_firstStart = new FirstStart(m_theme, m_repositories, m_agents);
            m_stack->addWidget(m_firstStart);
            m_firstStart->setBlocked(whyNotNow(m_link));
            connect(m_firstStart, &FirstStart::newTaskRequested, this, &Dashboard::newTaskRequested);
            connect(m_firstStart, &FirstStart::addRepositoryRequested, this, &Dashboard::addRepositoryRequested);
            connect(m_firstStart, &FirstStart::agentWayOnRequested, this, &Dashboard::openAgentMenu);
            connect(m_firstStart, &FirstStart::repositoryActivated, this, &Dashboard::openRepositoryMenu);
        }
        m_stack->setCurrentWidget(m_firstStart);
        return;
    }
    if (known && m_model->rowCount() == 0) {
        if (m_model->isFiltered())
            m_empty->set(Icon::Search, tr("No match"), tr("No task on the board has these words."));
        else
            m_empty->set(Icon::Board, tr("Nothing to do"), tr("Start a task and it appears here."));
        m_stack->setCurrentWidget(m_empty);
        return;
    }
    m_stack->setCurrentWidget(m_board);
}

void Dashboard::setHostStatus(const HostStatus &status)
{
    m_host = status;
    updateHostLine();
}

void Dashboard::setLinkState(const LinkState &state)
{
    m_link = state;
    if (m_firstStart)
        m_firstStart->setBlocked(whyNotNow(state));
    updateHostLine();
}

void Dashboard::updateHostLine()
{
    QStringList parts;
    if (!m_host.version.isEmpty()) {
        parts.append(tr("Host %1 %2").arg(m_link.where.isEmpty() ? tr("here") : m_link.where, m_host.version));
        parts.append(tr("load %1").arg(QLocale().toString(m_host.load, 'f', 1)));
        if (m_host.tasksDiskBytes > 0)
            parts.append(tr("%1 used by tasks").arg(QLocale().formattedDataSize(m_host.tasksDiskBytes, 1)));
        if (m_host.agentsRunning > 0)
            parts.append(m_host.agentsRunning == 1 ? tr("1 agent running") : tr("%1 agents running").arg(m_host.agentsRunning));
    }
    m_hostLine->setText(parts.join(QStringLiteral("  ·  ")));
}

void Dashboard::openAgentMenu(const AgentId &id, const QPoint &at)
{
    const Agent *agent = m_agents->find(id);
    if (!agent)
        return;
    const AgentWays ways{[this](const AgentId &chosen) { Q_EMIT confirmAgentWanted(chosen); },
        [this](const AgentId &chosen) { Q_EMIT installAgentRequested(chosen); },
        [this](const AgentId &) { Q_EMIT newTaskWanted({}); }, [this] { Q_EMIT refreshAgentsRequested(); }};
    QMenu *menu = makeAgentMenu(*agent, ways, this);
    if (const QString why = whyNotNow(m_link); !why.isEmpty() && !agent->state.is(AgentState::Ready)) {
        for (QAction *action : menu->actions())
            action->setEnabled(false);
        menu->addAction(why)->setEnabled(false);
    }
    menu->popup(at);
}

void Dashboard::openRepositoryMenu(int row, const QPoint &at)
{
    const Repository repository = m_repositories->at(row);
    auto *menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    if (repository.error) {
        menu->addAction(repository.error->message)->setEnabled(false);
        if (!repository.error->action.isEmpty())
            menu->addAction(repository.error->action)->setEnabled(false);
        menu->addSeparator();
    }
    menu->addAction(tr("New task here…"), this, [this, repository] { Q_EMIT newTaskWanted(repository.id); })
        ->setEnabled(!repository.state.is(RepositoryState::Error));
    menu->addAction(tr("Copy its address"), this, [repository] { QApplication::clipboard()->setText(repository.origin); });
    menu->addSeparator();
    menu->addAction(repository.taskCount > 0 ? tr("Remove (it still has tasks)") : tr("Remove from the list"), this,
            [this, repository] { Q_EMIT removeRepositoryRequested(repository.id); })
        ->setEnabled(repository.taskCount == 0 && whyNotNow(m_link).isEmpty());
    if (const QString why = whyNotNow(m_link); !why.isEmpty())
        menu->addAction(why)->setEnabled(false);
    menu->popup(at);
}

void Dashboard::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.fillRect(rect(), m_theme->colors().window);
}

} // namespace foundry::views
