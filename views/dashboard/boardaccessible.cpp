#include "views/dashboard/boardaccessible.h"

#include "views/common/statelook.h"
#include "views/dashboard/boardview.h"

#include <QAccessible>
#include <QAccessibleWidget>
#include <QHash>
#include <QPointer>

namespace foundry::views {

namespace {

class BoardCardAccessible : public QAccessibleInterface, public QAccessibleActionInterface {
public:
    BoardCardAccessible(BoardView *view, TaskId task)
        : m_view(view)
        , m_task(std::move(task))
    {
    }

    bool isValid() const override { return m_view && index().isValid(); }
    QObject *object() const override { return nullptr; }
    QAccessibleInterface *parent() const override { return QAccessible::queryAccessibleInterface(m_view); }
    QAccessibleInterface *child(int) const override { return nullptr; }
    QAccessibleInterface *childAt(int, int) const override { return nullptr; }
    int childCount() const override { return 0; }
    int indexOfChild(const QAccessibleInterface *) const override { return -1; }
    void setText(QAccessible::Text, const QString &) override { }
    QAccessible::Role role() const override { return QAccessible::ListItem; }
    const TaskId &task() const { return m_task; }

    QString text(QAccessible::Text kind) const override
    {
        const TaskRow *row = isValid() ? board()->taskAt(index()) : nullptr;
        if (!row || kind != QAccessible::Name)
            return {};
        QStringList words{row->task.title, lookOf(*row).word, row->task.branch, agentWords(row->task),
            index().parent().data().toString()};
        words.removeAll(QString());
        return words.join(QLatin1StringView(", "));
    }
    QRect rect() const override
    {
        if (!isValid())
            return {};
        const QRect local = m_view->visualRect(index());
        return {m_view->viewport()->mapToGlobal(local.topLeft()), local.size()};
    }
    QAccessible::State state() const override
    {
        QAccessible::State state;
        state.focusable = true;
        state.focused = m_view && m_view->hasFocus() && m_view->currentIndex() == index();
        state.offscreen = m_view && !m_view->viewport()->rect().intersects(m_view->visualRect(index()));
        return state;
    }

    void *interface_cast(QAccessible::InterfaceType type) override
    {
        return type == QAccessible::ActionInterface ? static_cast<QAccessibleActionInterface *>(this) : nullptr;
    }
    QStringList actionNames() const override { return {pressAction()}; }
    void doAction(const QString &name) override
    {
        if (name == pressAction() && isValid())
            Q_EMIT m_view->taskActivated(m_task);
    }
    QStringList keyBindingsForAction(const QString &) const override { return {}; }

private:
    BoardModel *board() const { return static_cast<BoardModel *>(m_view->model()); }
    QModelIndex index() const { return m_view ? board()->indexOf(m_task) : QModelIndex(); }

    QPointer<BoardView> m_view;
    TaskId m_task;
};

class BoardAccessible : public QAccessibleWidget {
public:
    explicit BoardAccessible(BoardView *view)
        : QAccessibleWidget(view, QAccessible::List, view->accessibleName())
    {
    }
    ~BoardAccessible() override
    {
        for (const QAccessible::Id id : std::as_const(m_cards))
            QAccessible::deleteAccessibleInterface(id);
    }

    int childCount() const override { return view() ? view()->cardCount() : 0; }
    QAccessibleInterface *child(int number) const override
    {
        const QModelIndex index = view() ? view()->cardIndex(number) : QModelIndex();
        return index.isValid() ? cardOf(index) : nullptr;
    }
    int indexOfChild(const QAccessibleInterface *item) const override
    {
        const auto *card = dynamic_cast<const BoardCardAccessible *>(item);
        return card && view() ? view()->cardNumber(board()->indexOf(card->task())) : -1;
    }
    QAccessibleInterface *childAt(int x, int y) const override
    {
        const QModelIndex index = view()->indexAt(view()->viewport()->mapFromGlobal(QPoint(x, y)));
        return index.isValid() ? cardOf(index) : nullptr;
    }

private:
    BoardView *view() const { return static_cast<BoardView *>(widget()); }
    BoardModel *board() const { return static_cast<BoardModel *>(view()->model()); }
    QAccessibleInterface *cardOf(const QModelIndex &index) const
    {
        const TaskId task = board()->taskAt(index)->task.id;
        const auto known = m_cards.constFind(task);
        if (known != m_cards.constEnd())
            return QAccessible::accessibleInterface(*known);
        auto *card = new BoardCardAccessible(view(), task);
        m_cards.insert(task, QAccessible::registerAccessibleInterface(card));
        return card;
    }

    mutable QHash<TaskId, QAccessible::Id> m_cards;
};

QAccessibleInterface *boardInterface(const QString &, QObject *object)
{
    auto *view = qobject_cast<BoardView *>(object);
    return view ? new BoardAccessible(view) : nullptr;
}

} // namespace

void installBoardAccessibility()
{
    static const bool once = [] {
        QAccessible::installFactory(boardInterface);
        return true;
    }();
    Q_UNUSED(once)
}

} // namespace foundry::views
