// A line or two of painted chips over a list model: repositories or agents with their state, and an action at the end.
// One focus stop; left and right move between chips, Enter opens the chip. GUI thread.
#pragma once

#include "views/common/statelook.h"

#include <QWidget>

#include <functional>
#include <optional>

namespace foundry {
class ListModelBase;
}

namespace foundry::views {

struct Chip {
    QString title;
    QString note; // a word of state; empty when all is well
    Icon icon = Icon::Circle;
    ColorToken iconColor = &Colors::textMuted;
    ColorToken noteColor = &Colors::textFaint;
    std::optional<double> progress = {}; // 0..1
    QString toolTip = {};
};

class ChipStrip : public QWidget {
    Q_OBJECT
public:
    using Look = std::function<Chip(int row)>;

    ChipStrip(ThemeProvider *theme, ListModelBase *model, Look look, const QString &name, const QString &action,
        QWidget *parent = nullptr);

    bool hasHeightForWidth() const override { return true; }
    int heightForWidth(int width) const override;
    QSize sizeHint() const override { return {400, heightForWidth(qMax(400, width()))}; }
    QSize minimumSizeHint() const override { return {200, 28}; }

Q_SIGNALS:
    void chipActivated(int row, const QPoint &globalPosition);
    void actionActivated();

protected:
    bool event(QEvent *event) override;
    void paintEvent(QPaintEvent *event) override;
    void resizeEvent(QResizeEvent *event) override;
    void mouseMoveEvent(QMouseEvent *event) override;
    void mouseReleaseEvent(QMouseEvent *event) override;
    void leaveEvent(QEvent *event) override;
    void keyPressEvent(QKeyEvent *event) override;

private:
    // Rows of the model; then what stands for the rest, and the action.
    static constexpr int moreChip = -1;
    static constexpr int actionChip = -2;
    struct Placed {
        QRect rect;
        int row = 0;
    };

    QList<Placed> place(int width) const;
    int chipWidth(const Chip &chip) const;
    void invalidate();
    const Placed *chipAt(const QPoint &point) const;
    void activate(const Placed &chip);
    void paintChip(QPainter &painter, const Placed &placed) const;

    ThemeProvider *m_theme;
    ListModelBase *m_model;
    Look m_look;
    QString m_action;
    QList<Placed> m_placed;
    bool m_expanded = false;
    int m_hover = -3;
    int m_current = 0; // position in m_placed
};

} // namespace foundry::views
