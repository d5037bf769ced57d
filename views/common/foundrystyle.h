// The look of ordinary controls, on top of Fusion: flat surfaces, hairlines, 6 px radii, one accent for focus. Which of
// the looks of a push button is its property "variant" (see Button). Colours come from the provider at each paint.
#pragma once

#include <QProxyStyle>

namespace foundry::views {

class ThemeProvider;

class FoundryStyle : public QProxyStyle {
    Q_OBJECT
public:
    // `theme` must outlive the style.
    explicit FoundryStyle(const ThemeProvider *theme);

    void drawPrimitive(PrimitiveElement element, const QStyleOption *option, QPainter *painter,
        const QWidget *widget) const override;
    void drawControl(ControlElement element, const QStyleOption *option, QPainter *painter,
        const QWidget *widget) const override;
    void drawComplexControl(ComplexControl control, const QStyleOptionComplex *option, QPainter *painter,
        const QWidget *widget) const override;
    QRect subControlRect(ComplexControl control, const QStyleOptionComplex *option, SubControl part,
        const QWidget *widget) const override;
    QRect subElementRect(SubElement element, const QStyleOption *option, const QWidget *widget) const override;
    QSize sizeFromContents(ContentsType type, const QStyleOption *option, const QSize &size,
        const QWidget *widget) const override;
    int pixelMetric(PixelMetric metric, const QStyleOption *option, const QWidget *widget) const override;
    int styleHint(StyleHint hint, const QStyleOption *option, const QWidget *widget,
        QStyleHintReturn *returned) const override;
    void polish(QWidget *widget) override;
    using QProxyStyle::polish;

private:
    const ThemeProvider *m_theme;
};

} // namespace foundry::views
