#include "views/sidebar/sidebar.h"

#include "models/attentionmodel.h"
#include "models/sidebarmodel.h"
#include "views/common/emptystate.h"
#include "views/common/linkwords.h"
#include "views/common/minuteclock.h"
#include "views/sidebar/attentionlist.h"
#include "views/sidebar/tasktree.h"

#include <QAction>
#include <QBoxLayout>
#include <QLineEdit>
#include <QPainter>

namespace foundry::views {

Sidebar::Sidebar(ThemeProvider *theme, MinuteClock *clock, UiState *state, TaskListModel *tasks,
    RepositoryListModel *repositories, AttentionModel *attention, QWidget *parent)
    : QWidget(parent)
    , m_theme(theme)
    , m_clock(clock)
    , m_tasks(tasks)
    , m_repositories(repositories)
    , m_model(new SidebarModel(tasks, repositories, this))
    , m_organization(new Label(theme, TextStyle::ListSemiBold, &Colors::text, tr("This computer")))
    , m_linkIcon(new IconLabel(theme, Icon::CircleDashed, &Colors::amber, 12))
    , m_linkWords(new Label(theme, TextStyle::Small, &Colors::textMuted))
    , m_newTask(new Button(theme, Icon::Plus, tr("New task")))
    , m_home(new Button(theme, Icon::Board, tr("Board"), ButtonLook::Ghost))
    , m_add(new Button(theme, Icon::FolderPlus, tr("Add repository"), ButtonLook::Ghost))
    , m_needsTitle(new Label(theme, TextStyle::SmallMedium, &Colors::textMuted))
    , m_needsHeader(new QWidget)
    , m_needs(new AttentionList(theme, clock, attention))
    , m_filter(new QLineEdit)
    , m_tree(new TaskTree(theme, clock, state, m_model))
    , m_empty(new EmptyState(theme, Icon::FolderGit, {}, {}))
{
    setAccessibleName(tr("Sidebar"));
    buildLayout();
    connect(m_newTask, &QPushButton::clicked, this, [this] { Q_EMIT newTaskRequested({}); });
    connect(m_home, &QPushButton::clicked, this, &Sidebar::dashboardRequested);
    connect(m_filter, &QLineEdit::textChanged, this, [this](const QString &text) {
        m_model->setFilter(text);
        updateEmpty();
    });
    connect(m_needs, &AttentionList::entryActivated, this, &Sidebar::entryActivated);
    connect(m_needs, &AttentionList::permissionAnswered, this, &Sidebar::permissionAnswered);
    const auto countNeeds = [this](int count) {
        m_needsHeader->setVisible(count > 0);
        m_needsTitle->setText(tr("Needs you  %1").arg(count));
    };
    connect(m_needs, &AttentionList::countChanged, this, countNeeds);
    countNeeds(attention->count());
    connect(m_tree, &TaskTree::taskActivated, this, &Sidebar::taskActivated);
    connect(m_tree, &TaskTree::newTaskRequested, this, &Sidebar::newTaskRequested);
    connect(m_tree, &TaskTree::renameRequested, this, &Sidebar::renameTaskRequested);
    connect(m_tree, &TaskTree::unreadRequested, this, &Sidebar::unreadRequested);
    connect(m_tree, &TaskTree::removeRepositoryRequested, this, &Sidebar::removeRepositoryRequested);
    for (const ListModelBase *model : {static_cast<ListModelBase *>(tasks), static_cast<ListModelBase *>(repositories)})
        connect(model, &ListModelBase::readyChanged, this, &Sidebar::updateEmpty);
    connect(m_model, &QAbstractItemModel::rowsInserted, this, &Sidebar::updateEmpty);
    connect(m_model, &QAbstractItemModel::rowsRemoved, this, &Sidebar::updateEmpty);
    connect(theme, &ThemeProvider::changed, this, qOverload<>(&QWidget::update));
    refreshLink();
    updateEmpty();
}

void Sidebar::buildLayout()
{
    auto *layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(0);

    auto *head = new QHBoxLayout;
    head->setContentsMargins(Space::m, Space::s, Space::s, Space::xs);
    auto *names = new QVBoxLayout;
    names->setSpacing(2);
    m_organization->setElided(true);
    names->addWidget(m_organization);
    auto *link = new QHBoxLayout;
    link->setSpacing(6);
    link->addWidget(m_linkIcon);
    m_linkWords->setElided(true);
    link->addWidget(m_linkWords, 1);
    names->addLayout(link);
    head->addLayout(names, 1);
    auto *collapse = new IconButton(m_theme, Icon::PanelLeft, tr("Hide sidebar"));
    collapse->setName(tr("Hide sidebar"), QStringLiteral("Ctrl+B"));
    connect(collapse, &QToolButton::clicked, this, &Sidebar::collapseRequested);
    head->addWidget(collapse, 0, Qt::AlignTop);
    layout->addLayout(head);

    auto *actions = new QVBoxLayout;
    actions->setContentsMargins(Space::s, Space::s, Space::s, Space::s);
    actions->setSpacing(Space::xs);
    m_newTask->setToolTip(tr("New task  (Ctrl+N)"));
    m_home->setToolTip(tr("All tasks on one board  (Ctrl+0)"));
    m_home->setProperty("leading", true);
    m_home->setCheckable(true);
    m_home->setChecked(true);
    actions->addWidget(m_newTask);
    actions->addWidget(m_home);
    layout->addLayout(actions);

    auto *needs = new QHBoxLayout(m_needsHeader);
    needs->setContentsMargins(Space::m, Space::xs, Space::m, Space::xs);
    needs->addWidget(m_needsTitle);
    layout->addWidget(m_needsHeader);
    layout->addWidget(m_needs);

    auto *filter = new QHBoxLayout;
    filter->setContentsMargins(Space::s, Space::s, Space::s, 0);
    m_filter->setPlaceholderText(tr("Filter tasks"));
    m_filter->setAccessibleName(tr("Filter tasks"));
    m_filter->setClearButtonEnabled(false);
    auto *glass = new QAction(m_filter);
    const auto tint = [this, glass] { glass->setIcon(m_theme->icons().icon(Icon::Search, m_theme->colors().textFaint)); };
    tint();
    connect(m_theme, &ThemeProvider::changed, this, tint);
    m_filter->addAction(glass, QLineEdit::LeadingPosition);
    filter->addWidget(m_filter);
    layout->addLayout(filter);
    layout->addWidget(m_tree, 1);
    layout->addWidget(m_empty, 1);

    layout->addWidget(new Hairline(m_theme, Qt::Horizontal));
    auto *foot = new QHBoxLayout;
    foot->setContentsMargins(Space::s, Space::xs, Space::s, Space::xs);
    connect(m_add, &QPushButton::clicked, this, &Sidebar::addRepositoryRequested);
    foot->addWidget(m_add);
    foot->addStretch(1);
    auto *settings = new IconButton(m_theme, Icon::Settings, tr("Settings"));
    settings->setName(tr("Settings"), QStringLiteral("Ctrl+,"));
    connect(settings, &QToolButton::clicked, this, &Sidebar::settingsRequested);
    foot->addWidget(settings);
    layout->addLayout(foot);
}

void Sidebar::setOrganization(const Organization &organization)
{
    m_organization->setText(organization.name);
}

void Sidebar::setLinkState(const LinkState &state)
{
    m_link = state;
    const QString why = whyNotNow(state);
    m_add->setEnabled(why.isEmpty());
    m_add->setToolTip(why);
    m_tree->setBlocked(why);
    refreshLink();
    updateEmpty();
}

void Sidebar::refreshLink()
{
    const StateLook look = lookOf(m_link, m_clock->now());
    m_linkIcon->set(look.icon, look.color);
    m_linkWords->setText(look.word);
    m_linkWords->setAccessibleName(tr("Connection: %1").arg(look.word));
}

void Sidebar::setCurrentTask(const TaskId &task)
{
    m_home->setChecked(task.isEmpty());
    m_tree->setCurrentTask(task);
}

TaskId Sidebar::taskAtPosition(int position) const
{
    return m_tree->taskAtPosition(position);
}

void Sidebar::focusFilter()
{
    m_filter->setFocus(Qt::ShortcutFocusReason);
    m_filter->selectAll();
}

void Sidebar::updateEmpty()
{
    const bool rows = m_model->rowCount() > 0;
    m_tree->setVisible(rows);
    m_empty->setVisible(!rows);
    if (rows)
        return;
    if (m_model->isFiltered())
        m_empty->set(Icon::Search, tr("No match"), tr("No task or repository has these words."));
    else if (!m_tasks->isReady() || !m_repositories->isReady())
        m_empty->set(Icon::CircleDashed, whyNotNow(m_link).isEmpty() ? tr("Loading") : tr("Not known yet"), tr("Tasks appear here as soon as they are read."));
    else
        m_empty->set(Icon::FolderGit, tr("No repositories"), tr("Add one to start the first task."));
}

void Sidebar::paintEvent(QPaintEvent *)
{
    QPainter painter(this);
    painter.fillRect(rect(), m_theme->colors().surface);
}

} // namespace foundry::views
