/** How is it used? One runnable class per story; no library code. */
@NullMarked
package org.nni4j.examples;

import org.jspecify.annotations.NullMarked;
